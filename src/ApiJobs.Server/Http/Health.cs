using ApiJobs.Server.OAuth;
using ApiJobs.Server.Settings;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace ApiJobs.Server.Http;

/// <summary><c>/health/live</c>: the process serves. <c>/health/ready</c>: what it needs to do its work answers too.</summary>
internal static class Health
{
    private const string DefaultUrl = "http://localhost:5000";

    private static readonly TimeSpan CheckTimeout = TimeSpan.FromSeconds(3);

    /// <summary>Adds the checks of readiness, and listens where health has an address of its own.</summary>
    public static void AddHealth(this WebApplicationBuilder builder, ServerSettings settings)
    {
        var checks = builder.Services.AddHealthChecks();
        if (!settings.OAuth.UsesExternalAuthority)
            checks.AddCheck<OAuthDatabaseCheck>("oauth_database", timeout: CheckTimeout);
        if (settings.Http.HealthPort is not null)
            Listen(builder.Configuration, settings.Http.HealthUrl!);
    }

    /// <summary>
    /// Answers at both addresses, before anyone asks who is calling: neither needs a token, none makes it ask a database more, and neither
    /// says more than one word.
    /// </summary>
    public static void UseHealth(this WebApplication app, HttpSettings settings)
    {
        if (settings.HealthPort is not { } port)
        {
            Answer(app);
        }
        else
        {
            app.MapWhen(http => http.Connection.LocalPort == port, health => Answer(health).Run(http =>
            {
                http.Response.StatusCode = StatusCodes.Status404NotFound;
                return Task.CompletedTask;
            }));
        }
    }

    private static IApplicationBuilder Answer(IApplicationBuilder app) => app
        .UseHealthChecks("/health/live", new HealthCheckOptions { Predicate = static _ => false })
        .UseHealthChecks("/health/ready");

    // Kestrel takes its addresses from the first of these places that has any.
    private static void Listen(ConfigurationManager configuration, string url)
    {
        if (configuration.GetSection("Kestrel:Endpoints").GetChildren().Any())
        {
            configuration["Kestrel:Endpoints:Health:Url"] = url;
            return;
        }

        var urls = configuration["urls"] is { Length: > 0 } given ? given : string.Join(';', [.. Ports("http"), .. Ports("https")]);
        configuration["urls"] = $"{(urls.Length > 0 ? urls : DefaultUrl)};{url}";

        IEnumerable<string> Ports(string scheme) =>
            (configuration[$"{scheme}_ports"] ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(port => $"{scheme}://*:{port}");
    }

    private sealed class OAuthDatabaseCheck(IDbContextFactory<OAuthDbContext> contexts) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            // A real read: opening a connection alone proves little, and for SQLite nothing.
            await using var database = await contexts.CreateDbContextAsync(cancellationToken);
            return await database.SigningKeys.AnyAsync(cancellationToken) ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy("There is no signing key.");
        }
    }
}
