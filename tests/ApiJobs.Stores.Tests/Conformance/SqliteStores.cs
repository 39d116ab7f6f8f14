using System.Diagnostics;
using ApiJobs.Resources;
using ApiJobs.Sqlite;
using ApiJobs.Storage;
using ApiJobs.Stores.Tests.Broken;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace ApiJobs.Stores.Tests.Conformance;

/// <summary>SQLite stores for the conformance suite, each in a folder of its own.</summary>
public class SqliteStores : StoreFixture
{
    public override Task<StoreDatabase> CreateDatabaseAsync() => Task.FromResult<StoreDatabase>(new SqliteDatabase(this));

    private sealed class SqliteDatabase(StoreFixture stores) : StoreDatabase(stores)
    {
        private readonly List<DirectoryInfo> _folders = [Directory.CreateTempSubdirectory("apijobs-")];

        private const string FileName = "apijobs.db";

        // One process owns the file: the store takes a lock on it.
        public override bool ServesManyNodes => false;

        private string ConnectionString =>
            new SqliteConnectionStringBuilder { DataSource = Path.Combine(_folders[^1].FullName, FileName), Pooling = false }.ToString();

        public override async Task<IReadOnlyDictionary<string, long>> CountRowsAsync()
        {
            await using var connection = await ConnectBesideAsync();
            return await connection.CountRowsAsync("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'");
        }

        public override async Task PretendNewerSchemaAsync()
        {
            await using var connection = await ConnectBesideAsync();
            await connection.RunAsync("INSERT INTO schema_versions (ScriptName, Applied) VALUES ('9999_of_a_newer_program.sql', '2099-01-01')");
        }

        public override async Task CreateTableAsync(string name, string column)
        {
            await using var connection = await ConnectBesideAsync();
            await connection.RunAsync($"CREATE TABLE {name} ({column} TEXT NOT NULL)");
        }

        public override async Task RunBesideAsync(string sql)
        {
            await using var connection = await ConnectBesideAsync();
            await connection.RunAsync(sql);
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
            return new(new StoreDecorator(store.Jobs, store.Lanes, store.Upkeep), store.Rows, store);
        }

        // The next node finds the files as they are in this moment, while the open one keeps the old ones.
        protected override async Task CutOffAsync()
        {
            var copy = Directory.CreateTempSubdirectory("apijobs-");
            // .NET would ask for a lock on the files, which the open node has.
            using var copying = Process.Start("cp", [.. new[] { FileName, FileName + "-wal" }.Select(name => Path.Combine(_folders[^1].FullName, name)), copy.FullName]);
            await copying.WaitForExitAsync();
            copying.ExitCode.ShouldBe(0);
            _folders.Add(copy);
        }

        protected override Task RemoveAsync()
        {
            foreach (var folder in _folders)
                folder.Delete(recursive: true);
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
