using ApiJobs.Benchmarks.Databases;
using Hangfire;
using Hangfire.PostgreSql;
using Hangfire.PostgreSql.Factories;

namespace ApiJobs.Benchmarks.Peers;

/// <summary>Hangfire over PostgreSQL, as its documentation recommends it.</summary>
/// <remarks>
/// Woken by LISTEN/NOTIFY (EnableLongPolling) rather than by its poll interval of fifteen seconds, the recommended
/// serializer settings, sliding invisibility, and its own number of workers: five a core, twenty at the most.
/// </remarks>
internal sealed class HangfireServer : IAsyncDisposable
{
    private readonly BackgroundJobServer _server;

    private HangfireServer(PostgreSqlStorage storage)
    {
        WorkerCount = Math.Min(Environment.ProcessorCount * 5, 20);
        Jobs = new BackgroundJobClient(storage);
        _server = new(new() { WorkerCount = WorkerCount, StopTimeout = TimeSpan.FromSeconds(5) }, storage);
    }

    public BackgroundJobClient Jobs { get; }

    public int WorkerCount { get; }

    public static HangfireServer Start(PostgreSqlDatabase database)
    {
        GlobalConfiguration.Configuration
            .SetDataCompatibilityLevel(CompatibilityLevel.Version_180)
            .UseSimpleAssemblyNameTypeSerializer()
            .UseRecommendedSerializerSettings();
        var options = new PostgreSqlStorageOptions
        {
            EnableLongPolling = true,
            QueuePollInterval = TimeSpan.FromMilliseconds(200),
            UseSlidingInvisibilityTimeout = true,
        };
        return new(new(new NpgsqlConnectionFactory(database.ConnectionString, options), options));
    }

    public ValueTask DisposeAsync()
    {
        _server.Dispose();
        return ValueTask.CompletedTask;
    }
}
