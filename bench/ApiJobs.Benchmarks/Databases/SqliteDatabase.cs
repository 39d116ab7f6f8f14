using System.Data.Common;
using Microsoft.Data.Sqlite;

namespace ApiJobs.Benchmarks.Databases;

/// <summary>A SQLite file in a temporary folder of its own.</summary>
internal sealed class SqliteDatabase : Database
{
    private readonly string _folder;

    private SqliteDatabase(string folder) => _folder = folder;

    public override Store Store => Store.Sqlite;

    public string Path => System.IO.Path.Combine(_folder, "apijobs.db");

    public override IReadOnlyDictionary<string, string> ServerSettings => new Dictionary<string, string>
    {
        ["Storage:Provider"] = "Sqlite",
        ["Storage:ConnectionString"] = $"Data Source={Path}",
    };

    public static SqliteDatabase Make() => new(Directory.CreateTempSubdirectory("apijobs-bench-").FullName);

    public override async Task<string> DescribeAsync(CancellationToken cancellationToken) =>
        $"SQLite {await QueryAsync<string>("SELECT sqlite_version()", cancellationToken)}, WAL, synchronous=FULL";

    public override async Task<DbConnection> OpenAsync(CancellationToken cancellationToken)
    {
        var connection = new SqliteConnection($"Data Source={Path};Pooling=False;Foreign Keys=False");
        await connection.OpenAsync(cancellationToken);
        return connection;
    }

    public override async Task<Database> CopyAsync(CancellationToken cancellationToken)
    {
        await ExecuteAsync("PRAGMA wal_checkpoint(TRUNCATE)", cancellationToken);
        var copy = Make();
        File.Copy(Path, copy.Path);
        return copy;
    }

    // Its log is checkpointed as it goes, by the commits themselves: nothing is left over between rounds.
    public override Task SettleAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override async Task<IReadOnlyList<string>> ColumnsAsync(string table, CancellationToken cancellationToken)
    {
        await using var connection = await OpenAsync(cancellationToken);
        await using var command = connection.CreateCommand();
        command.CommandText = $"SELECT name FROM pragma_table_info('{table}')";
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var columns = new List<string>();
        while (await reader.ReadAsync(cancellationToken))
            columns.Add(reader.GetString(0));
        return columns;
    }

    public override ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }
}
