using System.Data.Common;
using Microsoft.Data.Sqlite;

namespace ApiJobs.Crash.Tests.Sites;

/// <summary>A SQLite file in a folder of its own, or in one that was given: on a disk that loses power, or one that is full.</summary>
internal sealed class SqliteSite : Site
{
    private readonly bool _ownsFolder;

    public SqliteSite(string? folder = null)
    {
        _ownsFolder = folder is null;
        Folder = folder ?? Directory.CreateTempSubdirectory("apijobs-crash-").FullName;
    }

    public string Folder { get; }

    public string FilePath => Path.Combine(Folder, "apijobs.db");

    public override bool IsPostgreSql => false;

    public override IReadOnlyDictionary<string, string> StorageSettings => new Dictionary<string, string>
    {
        ["Storage:Provider"] = "Sqlite",
        ["Storage:ConnectionString"] = $"Data Source={FilePath}",
    };

    public override string UuidText(string column) => $"lower(hex({column}))";

    public override string UuidLiteral(Guid id) => $"X'{id:N}'";

    /// <remarks>Only while a node is up: the last connection to be closed would tidy the log, which is the node's to recover.</remarks>
    public override async Task<DbConnection> OpenAsync(bool writes, CancellationToken cancellationToken)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = FilePath,
            Mode = writes ? SqliteOpenMode.ReadWrite : SqliteOpenMode.ReadOnly,
            Pooling = false,
        }.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        return connection;
    }

    public override async Task<string> FindDamageAsync(CancellationToken cancellationToken)
    {
        await using var connection = await OpenAsync(writes: false, cancellationToken);
        await using var check = connection.CreateCommand();
        check.CommandText = "PRAGMA integrity_check";
        var found = (string)(await check.ExecuteScalarAsync(cancellationToken))!;
        return found == "ok" ? "" : found;
    }

    public override ValueTask DisposeAsync()
    {
        if (_ownsFolder)
            Directory.Delete(Folder, recursive: true);
        return ValueTask.CompletedTask;
    }
}
