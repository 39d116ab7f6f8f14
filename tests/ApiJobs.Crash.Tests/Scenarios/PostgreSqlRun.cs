using ApiJobs.Testing;

[assembly: AssemblyFixture(typeof(ApiJobs.Crash.Tests.Scenarios.PostgreSqlRun))]

namespace ApiJobs.Crash.Tests.Scenarios;

/// <summary>One PostgreSQL server for the whole run; it starts when the first test asks.</summary>
public sealed class PostgreSqlRun : IAsyncDisposable
{
    private readonly Lazy<Task<PostgreSqlServer>> _server = new(PostgreSqlServer.StartAsync);

    public Task<PostgreSqlServer> Server => _server.Value;

    public async ValueTask DisposeAsync()
    {
        if (_server.IsValueCreated)
            await (await _server.Value).DisposeAsync();
    }
}
