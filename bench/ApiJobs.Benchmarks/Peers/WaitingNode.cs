using System.Text.Json.Serialization;
using ApiJobs.AspNetCore.Callers;
using ApiJobs.Operations;
using ApiJobs.Server.Tests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ApiJobs.Benchmarks.Peers;

/// <summary>A node of an application that uses the library: one coded operation, which waits 20 ms for every chunk, over a shared PostgreSQL.</summary>
internal static class WaitingNode
{
    /// <summary>The role of a process that is a node; see <see cref="Roles"/>.</summary>
    public const string Role = "waiting-node";

    public const string CompanyHeader = "X-Company", Path = "/api/waits/bulk";

    /// <summary>How many records make a chunk in these nodes.</summary>
    public const int RecordsPerChunk = 10;

    /// <summary>How long the operation waits for every chunk's worth of records.</summary>
    public static readonly TimeSpan WaitPerChunk = TimeSpan.FromMilliseconds(20);

    private const string ConnectionSetting = "Bench:Connection";

    /// <summary>Starts a node.</summary>
    public static Task<ServerProcess> StartAsync(string connectionString, int slots, CancellationToken cancellationToken) => ServerProcess.StartAsync(
        [
            new(Roles.Setting, Role),
            new(ConnectionSetting, connectionString),
            new("Worker:Slots", $"{slots}"),
            new("Intake:ChunkRecords", $"{RecordsPerChunk}"),
        ],
        System.IO.Path.GetTempPath(), Roles.Dll, cancellationToken);

    /// <summary>Is a node, until told to stop.</summary>
    public static async Task RunAsync()
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Warning).AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Information);
        builder.Services.AddPostgreSqlStore(builder.Configuration[ConnectionSetting]!);
        builder.Services.AddApiJobs(jobs => jobs.AddOperation(new Wait(), HttpMethods.Post, "waits/bulk"));
        await using var app = builder.Build();
        app.MapGet("/health/ready", () => Results.Ok());
        // Nobody but the benchmark calls these nodes, on the loopback address.
        app.MapApiJobs("/api", context => ValueTask.FromResult<ApiJobCaller?>(new(
            Guid.Parse(context.Request.Headers[CompanyHeader].ToString()), ["jobs:read", "waits:write"])));
        await app.RunAsync();
    }

    // The engine may hand over many chunks with one call; it still waits for each, as a call to a slow service would.
    private sealed class Wait() : BulkOperation<Nothing>("wait_bulk_create", "Wait", NodeJson.Default.Nothing)
    {
        protected override async Task ApplyAsync(
            IReadOnlyList<BulkRecord<Nothing>> records, OperationContext context, CancellationToken cancellationToken)
        {
            await Task.Delay(WaitPerChunk * Math.Ceiling(records.Count / (double)RecordsPerChunk), TimeProvider.System, cancellationToken);
            foreach (var record in records)
                record.Record.Created();
        }
    }
}

/// <summary>A record of which only the number matters.</summary>
internal sealed record Nothing;

[JsonSerializable(typeof(Nothing))]
internal sealed partial class NodeJson : JsonSerializerContext;
