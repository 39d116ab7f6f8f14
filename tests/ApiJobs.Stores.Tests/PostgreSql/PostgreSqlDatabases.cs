using ApiJobs.Testing;

[assembly: AssemblyFixture(typeof(ApiJobs.Stores.Tests.PostgreSql.PostgreSqlDatabases))]

namespace ApiJobs.Stores.Tests.PostgreSql;

/// <summary>Fresh databases on one server for the whole run; the server starts when the first test asks.</summary>
public sealed class PostgreSqlDatabases : IAsyncDisposable
{
    private readonly Lazy<Task<PostgreSqlServer>> _server = new(PostgreSqlServer.StartAsync);

    public async Task<string> CreateAsync() => await (await _server.Value).CreateDatabaseAsync();

    public async ValueTask DisposeAsync()
    {
        if (_server.IsValueCreated)
            await (await _server.Value).DisposeAsync();
    }
}
