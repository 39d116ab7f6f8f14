using System.Data.Common;
using ApiJobs.Testing;
using Npgsql;

namespace ApiJobs.Crash.Tests.Sites;

/// <summary>A database of its own on the run's PostgreSQL server.</summary>
internal sealed class PostgreSqlSite : Site
{
    /// <summary>What the nodes call themselves, so that their connections can be told from the checker's.</summary>
    public const string NodesApplicationName = "crash-node";

    private readonly NpgsqlConnectionStringBuilder _connection;

    private PostgreSqlSite(PostgreSqlServer server, string connectionString)
    {
        Server = server;
        _connection = new(connectionString);
    }

    public PostgreSqlServer Server { get; }

    public string DatabaseName => _connection.Database!;

    public override bool IsPostgreSql => true;

    public override IReadOnlyDictionary<string, string> StorageSettings => new Dictionary<string, string>
    {
        ["Storage:Provider"] = "PostgreSql",
        ["Storage:ConnectionString"] = new NpgsqlConnectionStringBuilder(_connection.ConnectionString)
        {
            ApplicationName = NodesApplicationName,
            MaxPoolSize = 20,
        }.ConnectionString,
    };

    public static async Task<PostgreSqlSite> CreateAsync(PostgreSqlServer server) => new(server, await server.CreateDatabaseAsync());

    public override string UuidText(string column) => $"{column}::text";

    public override string UuidLiteral(Guid id) => $"'{id}'::uuid";

    public override async Task<DbConnection> OpenAsync(bool writes, CancellationToken cancellationToken)
    {
        // Pooled connections would be broken ones after the server was stopped.
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(_connection.ConnectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        return connection;
    }

    public async Task<T> QueryAsync<T>(string sql, CancellationToken cancellationToken)
    {
        await using var connection = await OpenAsync(writes: false, cancellationToken);
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        return (T)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    public async Task ExecuteAsync(string sql, CancellationToken cancellationToken)
    {
        await using var connection = await OpenAsync(writes: true, cancellationToken);
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <remarks>pg_amcheck reads every table and index, and looks for a line in the index for each in the table.</remarks>
    public override async Task<string> FindDamageAsync(CancellationToken cancellationToken)
    {
        var result = await Shell.TryRunAsync(
            Shell.FindProgram("pg_amcheck", "/usr/lib/postgresql/*/bin"),
            [
                "-h", _connection.Host!, "-p", $"{_connection.Port}", "-U", _connection.Username!, "--no-password",
                "--install-missing", "--heapallindexed", _connection.Database!,
            ],
            new Dictionary<string, string?> { ["PGPASSWORD"] = _connection.Password });
        return result.ExitCode == 0 ? "" : result.Output;
    }

    public override async ValueTask DisposeAsync()
    {
        await using var connection = new NpgsqlConnection(Server.ConnectionString + ";Pooling=false");
        await connection.OpenAsync();
#pragma warning disable CA2100 // The name is the fixture's own.
        await using var drop = new NpgsqlCommand($"DROP DATABASE {_connection.Database} WITH (FORCE)", connection);
#pragma warning restore CA2100
        await drop.ExecuteNonQueryAsync();
    }
}
