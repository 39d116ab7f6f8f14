using System.Data.Common;
using ApiJobs.Testing;
using Npgsql;

namespace ApiJobs.Benchmarks.Databases;

/// <summary>A database on a PostgreSQL server that this program started, with PostgreSQL's own settings: fsync and synchronous_commit on.</summary>
internal sealed class PostgreSqlDatabase : Database
{
    private readonly PostgreSqlServer _server;
    private readonly bool _ownsServer;

    private PostgreSqlDatabase(PostgreSqlServer server, string connectionString, bool ownsServer)
    {
        (_server, _ownsServer) = (server, ownsServer);
        ConnectionString = connectionString;
    }

    public override Store Store => Store.PostgreSql;

    public string ConnectionString { get; }

    /// <summary>The connection string as a URL, for programs that are not .NET's.</summary>
    public string Url
    {
        get
        {
            var parts = new NpgsqlConnectionStringBuilder(ConnectionString);
            var password = parts.Password is { Length: > 0 } given ? $":{Uri.EscapeDataString(given)}" : "";
            return $"postgres://{Uri.EscapeDataString(parts.Username!)}{password}@{parts.Host}:{parts.Port}/{parts.Database}";
        }
    }

    // Prepared statements are what the store's documentation recommends on a direct connection.
    public override IReadOnlyDictionary<string, string> ServerSettings => new Dictionary<string, string>
    {
        ["Storage:Provider"] = "PostgreSql",
        ["Storage:ConnectionString"] = new NpgsqlConnectionStringBuilder(ConnectionString) { MaxAutoPrepare = 100 }.ConnectionString,
    };

    /// <summary>Starts a server and makes a database on it.</summary>
    public static async Task<PostgreSqlDatabase> MakeAsync(CancellationToken cancellationToken)
    {
        var server = await PostgreSqlServer.StartAsync();
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            return new(server, await server.CreateDatabaseAsync(), ownsServer: true);
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public override async Task<string> DescribeAsync(CancellationToken cancellationToken)
    {
        var version = await QueryAsync<string>("SHOW server_version", cancellationToken);
        var fsync = await QueryAsync<string>("SHOW fsync", cancellationToken);
        var commit = await QueryAsync<string>("SHOW synchronous_commit", cancellationToken);
        return $"PostgreSQL {version}, fsync={fsync}, synchronous_commit={commit}, its own settings otherwise";
    }

    public override async Task<DbConnection> OpenAsync(CancellationToken cancellationToken)
    {
        // Not pooled: a database with open connections cannot be copied.
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(ConnectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        return connection;
    }

    /// <summary>Makes an empty database on the same server.</summary>
    public async Task<PostgreSqlDatabase> NewBesideAsync() => new(_server, await _server.CreateDatabaseAsync(), ownsServer: false);

    public override async Task<Database> CopyAsync(CancellationToken cancellationToken)
    {
        var name = $"apijobs_{Guid.CreateVersion7():N}";
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(_server.ConnectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        await using var command = connection.CreateCommand();
        command.CommandText = $"CREATE DATABASE {name} TEMPLATE {new NpgsqlConnectionStringBuilder(ConnectionString).Database}";
        command.CommandTimeout = 0;
        await command.ExecuteNonQueryAsync(cancellationToken);
        return new PostgreSqlDatabase(
            _server, new NpgsqlConnectionStringBuilder(ConnectionString) { Database = name }.ConnectionString, ownsServer: false);
    }

    public override async Task SettleAsync(CancellationToken cancellationToken)
    {
        await ExecuteAsync("VACUUM (ANALYZE)", cancellationToken);
        await ExecuteAsync("CHECKPOINT", cancellationToken);
    }

    public override async Task<IReadOnlyList<string>> ColumnsAsync(string table, CancellationToken cancellationToken)
    {
        await using var connection = await OpenAsync(cancellationToken);
        await using var command = connection.CreateCommand();
        command.CommandText = $"SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = '{table}'";
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var columns = new List<string>();
        while (await reader.ReadAsync(cancellationToken))
            columns.Add(reader.GetString(0));
        return columns;
    }

    public override ValueTask DisposeAsync() => _ownsServer ? _server.DisposeAsync() : ValueTask.CompletedTask;
}
