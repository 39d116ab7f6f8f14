using ApiJobs.Server.OAuth;
using ApiJobs.Server.Settings;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace ApiJobs.Server.Http;

/// <summary><c>/health/live</c>: the process serves. <c>/health/ready</c>: what it needs to do its work answers too.</summary>
internal static class Health
{
    private static readonly TimeSpan CheckTimeout = TimeSpan.FromSeconds(3);

    /// <summary>Adds the checks of readiness.</summary>
    public static void AddHealth(this IServiceCollection services, ServerSettings settings)
    {
        var checks = services.AddHealthChecks();
        if (!settings.OAuth.UsesExternalAuthority)
            checks.AddCheck<OAuthDatabaseCheck>("oauth_database", timeout: CheckTimeout);
    }

    /// <summary>Maps both addresses; neither needs a token, and neither says more than one word.</summary>
    public static void MapHealth(this IEndpointRouteBuilder routes)
    {
        routes.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = static _ => false });
        routes.MapHealthChecks("/health/ready");
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
