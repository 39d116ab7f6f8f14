using ApiJobs.AspNetCore.Callers;
using ApiJobs.Benchmarks.Databases;
using ApiJobs.Operations;
using ApiJobs.Resources;
using ApiJobs.Server.Tests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ApiJobs.Benchmarks.Peers;

/// <summary>A node of an application with a resource, an operation that crashes on every record, and one that takes its time.</summary>
internal static class TroubledNode
{
    /// <summary>The role of a process that is a node; see <see cref="Roles"/>.</summary>
    public const string Role = "troubled-node";

    public const string CrashingPath = "/engine/api/crashes/bulk", SlowPath = "/engine/api/waits/bulk";

    /// <summary>How long the slow operation takes for every record.</summary>
    public static readonly TimeSpan TimePerRecord = TimeSpan.FromMilliseconds(5);

    /// <summary>Starts a node with one worker slot.</summary>
    public static Task<ServerProcess> StartAsync(
        Database database, CancellationToken cancellationToken, params IEnumerable<KeyValuePair<string, string>> settings) => ServerProcess.StartAsync(
        [new(Roles.Setting, Role), .. database.ServerSettings, new("Worker:Slots", "1"), .. settings],
        System.IO.Path.GetTempPath(), Roles.Dll, cancellationToken);

    /// <summary>Is a node, until told to stop.</summary>
    public static async Task RunAsync()
    {
        var builder = WebApplication.CreateBuilder();
        // A site that logs crashes would; here what they say is known.
        builder.Logging.SetMinimumLevel(LogLevel.Critical).AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Information);
        var connectionString = builder.Configuration["Storage:ConnectionString"]!;
        if (builder.Configuration["Storage:Provider"] == "PostgreSql")
            builder.Services.AddPostgreSqlStore(connectionString);
        else
            builder.Services.AddSqliteStore(connectionString);
        builder.Services.AddApiJobs(jobs => jobs
            .AddResource(new("customer_case", "Case", "cases", [Field.Text("ref", maxLength: 100), Field.Text("notes", maxLength: 10_000)]))
            .AddOperation(new Crash(), HttpMethods.Post, "crashes/bulk", "cases:write")
            .AddOperation(new Wait(), HttpMethods.Post, "waits/bulk", "cases:write"));
        await using var app = builder.Build();
        app.MapGet("/health/ready", () => Results.Ok());
        // The token is the company: nobody but the benchmark calls this node, on the loopback address.
        app.MapApiJobs("/engine/api", context => ValueTask.FromResult<ApiJobCaller?>(new(
            Guid.Parse(context.Request.Headers.Authorization.ToString()["Bearer ".Length..]), ["jobs:read", "cases:read", "cases:write"])));
        await app.RunAsync();
    }

    private sealed class Crash() : BulkOperation<Nothing>("crash_bulk_create", "Crash", NodeJson.Default.Nothing)
    {
        protected override Task ApplyAsync(
            IReadOnlyList<BulkRecord<Nothing>> records, OperationContext context, CancellationToken cancellationToken) =>
            throw new InvalidOperationException("This operation crashes on every record.");
    }

    // As a call to a slow service for every record would.
    private sealed class Wait() : BulkOperation<Nothing>("wait_bulk_create", "Wait", NodeJson.Default.Nothing)
    {
        protected override async Task ApplyAsync(
            IReadOnlyList<BulkRecord<Nothing>> records, OperationContext context, CancellationToken cancellationToken)
        {
            foreach (var record in records)
            {
                await Task.Delay(TimePerRecord, TimeProvider.System, cancellationToken);
                record.Record.Created();
            }
        }
    }
}
