using ApiJobs.Resources;
using ApiJobs.Server.Settings;

namespace ApiJobs.Server;

/// <summary>Where the engine joins the server: its store, its worker and its routes.</summary>
internal static class ApiJobsComposition
{
    /// <summary>Adds the engine over the configured store, with the CRM's resources.</summary>
    public static void AddApiJobsEngine(this WebApplicationBuilder builder, ServerSettings settings) =>
        builder.Services.AddSingleton(new ResourceCatalog(CrmResources.All));

    /// <summary>Maps the engine's routes under the base path.</summary>
    public static void MapApiJobsEngine(this WebApplication app, ServerSettings settings)
    {
    }
}
