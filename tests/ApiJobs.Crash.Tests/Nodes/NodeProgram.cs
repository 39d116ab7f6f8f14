using ApiJobs.AspNetCore.Callers;
using ApiJobs.Intake;
using ApiJobs.PostgreSql;
using ApiJobs.Resources;
using ApiJobs.Sqlite;
using ApiJobs.Storage;
using ApiJobs.Stores.Tests.Broken;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace ApiJobs.Crash.Tests.Nodes;

/// <summary>The program that is killed: the real engine, store and Kestrel, with one difference from a site's own: its operations log what they apply.</summary>
internal static class NodeProgram
{
    /// <summary>The log needs operations of its own; their bulk requests go here.</summary>
    public const string BulkPath = "logged/cases/bulk";

    public const string TypePrefix = "logged_";

    public const string Role = "Crash:Role", Name = "Crash:Name", ChunkDelay = "Crash:ChunkDelay", Breaks = "Crash:Breaks",
        IdleTransactionTimeout = "Crash:IdleTransactionTimeout";

    /// <summary>What <see cref="Role"/> is set to.</summary>
    public const string NodeRole = "node";

    public static bool IsAskedFor => Environment.GetEnvironmentVariable(Role.Replace(":", "__", StringComparison.Ordinal)) == NodeRole;

    /// <summary>The case of the CRM, as far as the load needs it.</summary>
    public static Resource Cases { get; } = new("customer_case", "Case", "cases", [Field.Text("notes", maxLength: 100)]);

    public static async Task RunAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls(builder.Configuration["urls"]!);
        var services = builder.Services;
        var settings = builder.Configuration;
        AddStore(services, settings);

        services.AddApiJobs(jobs =>
        {
            jobs.AddResource(Cases);
            var catalog = new ResourceCatalog([Cases]);
            var chunkRecords = settings.GetValue("Intake:ChunkRecords", new IntakeOptions().ChunkRecords);
            foreach (var (method, verb) in new[] { (HttpMethods.Post, ResourceVerb.Create), (HttpMethods.Patch, ResourceVerb.Update), (HttpMethods.Put, ResourceVerb.Upsert) })
            {
                var operation = new LoggedOperation(
                    new ResourceOperation(Cases, verb, catalog), settings[Name]!, settings.GetValue(ChunkDelay, TimeSpan.Zero), chunkRecords);
                jobs.AddOperation(operation, method, BulkPath, "cases:write");
            }
        });

        await using var app = builder.Build();
        app.MapGet("/health/ready", () => "ready");
        app.MapApiJobs("/engine/api", ReadCaller);
        await app.RunAsync();
    }

    private static void AddStore(IServiceCollection services, ConfigurationManager settings)
    {
        var connectionString = settings["Storage:ConnectionString"]!;
        var isPostgreSql = settings["Storage:Provider"] == "PostgreSql";
        if (isPostgreSql)
        {
            services.AddPostgreSqlStore(
                connectionString,
                options => options.IdleTransactionTimeout = settings.GetValue(IdleTransactionTimeout, options.IdleTransactionTimeout));
        }
        else
        {
            services.AddSqliteStore(connectionString);
        }

        // The engine's view of the store; a sound node has no breaks, and gets the store itself.
        var breaks = settings[Breaks];
        services.AddSingleton(provider => BrokenBuilds.Break(
            isPostgreSql ? Whole(provider.GetRequiredService<PostgreSqlStore>()) : Whole(provider.GetRequiredService<SqliteStore>()),
            breaks, connectionString));
        services.AddSingleton<IJobStore>(provider => provider.GetRequiredService<IWholeStore>());
        services.AddSingleton<ILaneStore>(provider => provider.GetRequiredService<IWholeStore>());
        services.AddSingleton<IUpkeep>(provider => provider.GetRequiredService<IWholeStore>());
    }

    private static StoreDecorator Whole(PostgreSqlStore store) => new(store.Jobs, store.Lanes, store.Upkeep);

    private static StoreDecorator Whole(SqliteStore store) => new(store.Jobs, store.Lanes, store.Upkeep);

    // The token is the company: who may call is not what is tested here.
    private static ValueTask<ApiJobCaller?> ReadCaller(HttpContext context)
    {
        var token = context.Request.Headers.Authorization.ToString().Replace("Bearer ", "", StringComparison.Ordinal);
        return ValueTask.FromResult(Guid.TryParse(token, out var company)
            ? new ApiJobCaller(company, ["jobs:read", "jobs:write", "cases:read", "cases:write"])
            : null);
    }
}
