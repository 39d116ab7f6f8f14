using ApiJobs.Server.Settings;

namespace ApiJobs.Server.OAuth;

/// <summary>What must be there before the first request: the tables, a signing key, the bootstrap clients.</summary>
internal static class OAuthStartup
{
    /// <summary>Makes what is missing. Safe to run on several nodes at once, and again. Nothing is done where an external authority is trusted.</summary>
    public static async Task InitializeOAuthAsync(this IServiceProvider services, CancellationToken cancellationToken = default)
    {
        var settings = services.GetRequiredService<ServerSettings>();
        if (settings.OAuth.UsesExternalAuthority)
            return;

        if (settings.OAuth.KeyEncryptionKeyOctets is null)
        {
            services.GetRequiredService<ILogger<SigningKeyProtection>>().LogWarning(
                "OAuth:KeyEncryptionKey is not set, nor OAuth:KeyEncryptionKeyFile: whoever can read the database, or a copy of it, can make tokens. Make a key with: openssl rand -base64 32");
        }

        OAuthSchema.Upgrade(settings.Storage);
        await services.GetRequiredService<SigningKeyRing>().RefreshAsync(cancellationToken);

        await using var scope = services.CreateAsyncScope();
        var registry = scope.ServiceProvider.GetRequiredService<ClientRegistry>();
        foreach (var client in settings.BootstrapClients)
            await registry.TryAddAsync(client.ClientId, client.ClientSecret, client.CompanyId, client.Scopes, cancellationToken);
    }
}
