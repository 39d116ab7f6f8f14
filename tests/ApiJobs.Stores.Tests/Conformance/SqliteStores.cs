using ApiJobs.Resources;
using ApiJobs.Sqlite;
using ApiJobs.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace ApiJobs.Stores.Tests.Conformance;

/// <summary>SQLite stores for the conformance suite, each in a folder of its own.</summary>
public class SqliteStores : StoreFixture
{
    public override Task<StoreDatabase> CreateDatabaseAsync() => Task.FromResult<StoreDatabase>(new SqliteDatabase(this));

    private sealed class SqliteDatabase(StoreFixture stores) : StoreDatabase(stores)
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("apijobs-");

        // One process owns the file: the store takes a lock on it.
        public override bool ServesManyNodes => false;

        private string ConnectionString =>
            new SqliteConnectionStringBuilder { DataSource = Path.Combine(_folder.FullName, "apijobs.db"), Pooling = false }.ToString();

        public override async Task<IReadOnlyDictionary<string, long>> CountRowsAsync()
        {
            await using var connection = await ConnectBesideAsync();
            var tables = new List<string>();
            await using (var reader = await connection.ReadAsync("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'"))
            {
                while (await reader.ReadAsync())
                    tables.Add(reader.GetString(0));
            }

            var counts = new Dictionary<string, long>();
            foreach (var table in tables)
                counts.Add(table, await connection.ReadCountAsync($"SELECT count(*) FROM \"{table}\""));
            return counts;
        }

        public override async Task PretendNewerSchemaAsync()
        {
            await using var connection = await ConnectBesideAsync();
            await connection.RunAsync("INSERT INTO schema_versions (ScriptName, Applied) VALUES ('9999-of-a-newer-program.sql', '2099-01-01')");
        }

        public override async Task CreateTableAsync(string name, string column)
        {
            await using var connection = await ConnectBesideAsync();
            await connection.RunAsync($"CREATE TABLE {name} ({column} TEXT NOT NULL)");
        }

        public override async Task ThrowTransientFaultAsync(IChunkTransaction transaction, CancellationToken cancellationToken)
        {
            // The chunk's transaction writes, so nobody else can.
            await using var connection = await ConnectBesideAsync();
            await connection.RunAsync("BEGIN IMMEDIATE");
        }

        protected override StoreNode ConnectNode(ResourceCatalog catalog)
        {
            var store = new SqliteStore(new() { ConnectionString = ConnectionString }, catalog, Clock, NullLogger<SqliteStore>.Instance);
            return new(store, store, store);
        }

        protected override Task RemoveAsync()
        {
            _folder.Delete(recursive: true);
            return Task.CompletedTask;
        }

        private async Task<SqliteConnection> ConnectBesideAsync()
        {
            var connection = new SqliteConnection(ConnectionString) { DefaultTimeout = 1 };
            await connection.OpenAsync();
            return connection;
        }
    }
}
