using System.Collections.Concurrent;
using ApiJobs.PostgreSql;
using ApiJobs.Resources;
using ApiJobs.Storage;
using ApiJobs.Stores.Tests.Broken;
using ApiJobs.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace ApiJobs.Stores.Tests.Conformance;

/// <summary>PostgreSQL stores for the conformance suite, each in a database of its own on one server.</summary>
/// <remarks>Databases are emptied and used again: to make and drop one costs more than most tests do.</remarks>
public class PostgreSqlStores : StoreFixture, IAsyncDisposable
{
    // Started by the first test that needs it, so that runs without PostgreSQL's tests do not pay for it.
    private readonly Lazy<Task<PostgreSqlServer>> _server = new(PostgreSqlServer.StartAsync);
    private readonly ConcurrentBag<string> _emptyDatabases = [];

    public override async Task<StoreDatabase> CreateDatabaseAsync()
    {
        var connectionString = _emptyDatabases.TryTake(out var emptied) ? emptied : await (await _server.Value).CreateDatabaseAsync();
        return new PostgreSqlDatabase(this, connectionString, await RouteAsync(connectionString));
    }

    public virtual async ValueTask DisposeAsync()
    {
        if (_server.IsValueCreated)
            await (await _server.Value).DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>The way that the stores take to a database; what the suite does behind their backs goes straight there.</summary>
    protected virtual Task<string> RouteAsync(string connectionString) => Task.FromResult(connectionString);

    /// <summary>Sets what a kind of these stores has otherwise.</summary>
    protected virtual void Configure(PostgreSqlStoreOptions options)
    {
    }

    /// <summary>Has an emptied database used again.</summary>
    protected virtual void TakeBack(string connectionString) => _emptyDatabases.Add(connectionString);

    private sealed class PostgreSqlDatabase(PostgreSqlStores stores, string connectionString, string route) : StoreDatabase(stores)
    {
        private static readonly (string Table, string[] Columns)[] Stamps =
        [
            ("lanes", ["lease_until", "served_at", "not_before"]),
            ("lane_tails", ["last_created_at"]),
            ("uploads", ["touched_at"]),
            ("job_marks", ["created_at"]),
            ("job_log", ["time"]),
            ("jobs", ["created_at", "updated_at", "start_time", "end_time"]),
        ];

        public override bool ServesManyNodes => true;

        /// <summary>Makes what the database's own clock has stamped older; that clock cannot be moved.</summary>
        public override async Task PassTimeAsync(TimeSpan time)
        {
            await base.PassTimeAsync(time);
            await using var connection = await ConnectBesideAsync();
            var interval = $"interval '{(long)time.TotalMilliseconds} ms'";
            foreach (var (table, columns) in Stamps)
                await connection.RunAsync($"UPDATE {table} SET {string.Join(", ", columns.Select(column => $"{column} = {column} - {interval}"))}");
        }

        public override async Task<IReadOnlyDictionary<string, long>> CountRowsAsync()
        {
            await using var connection = await ConnectBesideAsync();
            return await connection.CountRowsAsync("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()");
        }

        public override async Task PretendNewerSchemaAsync()
        {
            await using var connection = await ConnectBesideAsync();
            await connection.RunAsync("INSERT INTO schema_versions (scriptname, applied) VALUES ('9999_of_a_newer_program.sql', now())");
        }

        public override async Task CreateTableAsync(string name, string column)
        {
            await using var connection = await ConnectBesideAsync();
            await connection.RunAsync($"CREATE TABLE {name} ({column} text NOT NULL)");
            await connection.RunAsync($"GRANT ALL ON {name} TO public");
        }

        public override async Task RunBesideAsync(string sql)
        {
            await using var connection = await ConnectBesideAsync();
            await connection.RunAsync(sql);
        }

        public override async Task ThrowTransientFaultAsync(IChunkTransaction transaction, CancellationToken cancellationToken)
        {
            await using var command = transaction.Connection.CreateCommand();
            command.Transaction = transaction.Transaction;
            // The role that chunks are applied as may not do this to a superuser, as whom tests connect.
            command.CommandText = "RESET ROLE; SELECT pg_terminate_backend(pg_backend_pid())";
            await command.ExecuteNonQueryAsync(cancellationToken);
        }

        protected override StoreNode ConnectNode(ResourceCatalog catalog)
        {
            var options = new PostgreSqlStoreOptions { ConnectionString = route, ListenConnectionString = connectionString };
            stores.Configure(options);
            var store = new PostgreSqlStore(options, catalog, Clock, NullLogger<PostgreSqlStore>.Instance);
            return new(new StoreDecorator(store.Jobs, store.Lanes, store.Upkeep), store.Rows, store);
        }

        protected override async Task CutOffAsync()
        {
            await using var connection = await ConnectBesideAsync();
            await connection.RunAsync(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()");
        }

        protected override async Task RemoveAsync()
        {
            await CutOffAsync();
            await using var connection = await ConnectBesideAsync();
            await connection.RunAsync("DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT ALL ON SCHEMA public TO public");
            stores.TakeBack(connectionString);
        }

        // Without a pool: a pooled connection would be terminated when the database is emptied.
        private async Task<NpgsqlConnection> ConnectBesideAsync()
        {
            var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ToString());
            await connection.OpenAsync();
            return connection;
        }
    }
}
