using Microsoft.Extensions.Options;
using OpenIddict.Abstractions;
using OpenIddict.Core;

namespace ApiJobs.Server.OAuth;

/// <summary>OpenIddict's manager of clients, with a check of credentials that does not tell by its time whether a client exists.</summary>
internal sealed class ApiClients(
    IOpenIddictApplicationCache<ApiClient> cache, ILogger<OpenIddictApplicationManager<ApiClient>> logger,
    IOptionsMonitor<OpenIddictCoreOptions> options, IOpenIddictApplicationStore<ApiClient> store)
    : OpenIddictApplicationManager<ApiClient>(cache, logger, options, store)
{
    // The hash of a secret that nobody knows, made as all others are, so that checking it takes what theirs take.
    private static string? _nobodysHash;

    /// <summary>Checks a client's credentials, with the same work whether there is such a client or not.</summary>
    /// <returns>Null if they are good; else why they are not, for the log alone.</returns>
    public async Task<string?> FaultOfAsync(string clientId, string secret, CancellationToken cancellationToken)
    {
        _nobodysHash ??= await ObfuscateClientSecretAsync(ClientIds.NewSecret(), cancellationToken);
        var client = await FindByClientIdAsync(clientId, cancellationToken);
        var isRight = await ValidateClientSecretAsync(secret, client?.ClientSecret ?? _nobodysHash, cancellationToken);
        return client is null ? "there is no such client" : isRight && client.ClientSecret is not null ? null : "the secret is wrong";
    }
}
