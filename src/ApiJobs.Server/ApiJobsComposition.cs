using ApiJobs.PostgreSql;
using ApiJobs.Server.Http;
using ApiJobs.Server.OAuth;
using ApiJobs.Server.OpenApi;
using ApiJobs.Server.Settings;
using ApiJobs.Sqlite;
using ApiJobs.Storage;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace ApiJobs.Server;

/// <summary>Where the engine joins the server: its store, its workers and its routes.</summary>
internal static class ApiJobsComposition
{
    /// <summary>Adds the engine over the configured store, with the CRM's resources.</summary>
    public static void AddApiJobsEngine(this IServiceCollection services, ServerSettings settings)
    {
        if (settings.Storage.IsPostgreSql)
        {
            // The rest of the section: how to listen behind a pooler, whether companies are kept apart by the database too.
            services.AddOptions<PostgreSqlStoreOptions>().BindConfiguration("Storage");
            services.AddPostgreSqlStore(settings.Storage.ConnectionString!);
        }
        else
        {
            services.AddOptions<SqliteStoreOptions>().BindConfiguration("Storage");
            services.AddSqliteStore(settings.Storage.ConnectionString!);
        }

        services.AddApiJobs(CrmResources.Declare);
        services.AddOpenApi("v1", document => document.AddApiJobs(TokenUrl(settings)).AddDocumentTransformer((api, _, _) =>
        {
            api.DescribeServer();
            return Task.CompletedTask;
        }));
        services.AddHealthChecks().AddCheck<JobStoreCheck>("job_store", timeout: TimeSpan.FromSeconds(3));
    }

    /// <summary>Maps the engine's routes under the base path, and their description at <c>/openapi/v1.json</c> and <c>/docs</c>.</summary>
    public static void MapApiJobsEngine(this WebApplication app, ServerSettings settings)
    {
        app.MapApiJobs(settings.Http.BasePath, Caller.OfAsync);
        app.MapApiJobsOpenApi();
        app.MapDocsPage();
    }

    // Where an external authority issues its tokens, its own discovery says.
    private static Uri? TokenUrl(ServerSettings settings) =>
        settings.OAuth.UsesExternalAuthority ? null : new($"/{OAuthSetup.TokenPath}", UriKind.Relative);

    private sealed class JobStoreCheck(IUpkeep store) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            await store.PingAsync(cancellationToken);
            return HealthCheckResult.Healthy();
        }
    }
}
