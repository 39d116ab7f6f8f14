using System.Data.Common;
using Npgsql;

namespace ApiJobs.PostgreSql.Session;

/// <summary>The node's connections: what the configured string leaves open, and nothing it says otherwise.</summary>
/// <remarks>
/// <para>The store's own statements are prepared, because planning one costs several times what running it does. A pooler in
/// transaction mode hands every transaction to another session, in which nothing is prepared; so the first connection
/// asks whether the session at the other end is the one that answered (a pooler gives a process id of its own), and
/// behind a pooler nothing is prepared.</para>
/// <para>They are prepared by name and in front of their first use, not by Npgsql's <c>Max Auto Prepare</c>: that prepares while
/// it executes, and when a batch fails in between, the next one on the connection can meet answers it does not expect.</para>
/// <para>Sessions are not reset between two uses: every setting that the store makes ends with its transaction, but for how
/// soon a direct connection's server notices that this node has vanished.</para>
/// </remarks>
internal sealed class ConnectionPool : IAsyncDisposable
{
    private const int KeepAliveSeconds = 15, KeepAliveIntervalSeconds = 5;

    private const string FactsSql = """
        SELECT pg_backend_pid(), current_setting('server_version_num')::int / 10000, current_database()::text
        """;

    // A node that lost its network leaves its locks behind; by the system's defaults for two hours.
    private const string NoticeVanishedNodeSql = """
        SELECT set_config('tcp_keepalives_idle', '15', false), set_config('tcp_keepalives_interval', '5', false),
            set_config('tcp_keepalives_count', '3', false), set_config('tcp_user_timeout', '30000', false)
        """;

    private readonly NpgsqlDataSource _source;
    private readonly bool? _prepare;

    private volatile ServerFacts? _facts;

    /// <summary>Makes the pool. No connection is opened yet.</summary>
    /// <param name="connectionString">The string as configured.</param>
    /// <param name="prepare">Whether to prepare statements; null to find out.</param>
    /// <exception cref="ArgumentException">The connection string is malformed.</exception>
    internal ConnectionPool(string connectionString, bool? prepare)
    {
        _prepare = prepare;
        var given = new DbConnectionStringBuilder { ConnectionString = connectionString };
        var builder = new NpgsqlDataSourceBuilder(connectionString);
        var settings = builder.ConnectionStringBuilder;
        // Keepalive of the socket, not of the session: it passes through a pooler, and finds a peer that vanished.
        // A socket of the machine's own has none: asking for it fails the connection.
        if (!Says("Tcp Keepalive") && !Says("Tcp Keepalive Time") && settings.Host is not ['/' or '@', ..])
            (settings.TcpKeepAlive, settings.TcpKeepAliveTime, settings.TcpKeepAliveInterval) = (true, KeepAliveSeconds, KeepAliveIntervalSeconds);
        if (!Says("Application Name"))
            settings.ApplicationName = "apijobs";
        if (!Says("No Reset On Close"))
            settings.NoResetOnClose = true;
        Patience = settings.CommandTimeout == 0 ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(settings.CommandTimeout);
        builder.UsePhysicalConnectionInitializer(
            connection => LearnAsync(connection).GetAwaiter().GetResult(), LearnAsync);
        _source = builder.Build();

        bool Says(string keyword) =>
            given.ContainsKey(keyword) || given.ContainsKey(keyword.Replace(" ", "", StringComparison.Ordinal));
    }

    /// <summary>How long an answer is waited for: the connection string's command time-out.</summary>
    internal TimeSpan Patience { get; }

    /// <summary>What is at the other end; known as soon as a connection was opened.</summary>
    internal ServerFacts Facts => _facts ?? throw new InvalidOperationException("No connection was opened yet.");

    /// <summary>The string of the one connection that listens for wake-ups.</summary>
    internal static string Listening(string connectionString)
    {
        // One connection for a node's life: pooling would hand it to others, and without a keepalive a dead
        // network would look like a quiet one.
        var builder = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false, KeepAlive = 30 };
        return builder.ConnectionString;
    }

    /// <summary>Takes a connection. Disposing it gives it back, and rolls back what is open on it.</summary>
    internal ValueTask<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken) => _source.OpenConnectionAsync(cancellationToken);

    /// <summary>Prepares a batch of the store's own statements, if they can be. Where the connection has them already, that costs nothing.</summary>
    internal Task PrepareAsync(NpgsqlBatch batch, CancellationToken cancellationToken) =>
        _prepare ?? Facts.IsDirect ? batch.PrepareAsync(cancellationToken) : Task.CompletedTask;

    public ValueTask DisposeAsync() => _source.DisposeAsync();

    private async Task LearnAsync(NpgsqlConnection connection)
    {
        // Several may ask at the same time, and find the same.
        var facts = _facts ??= await ReadFactsAsync(connection);
        if (!facts.IsDirect)
            return;
        await using var command = new NpgsqlCommand(NoticeVanishedNodeSql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<ServerFacts> ReadFactsAsync(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand(FactsSql, connection);
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        return new(IsDirect: reader.GetInt32(0) == connection.ProcessID, reader.GetInt32(1), CompanyRole.Of(reader.GetString(2)));
    }
}

/// <summary>What is at the other end of the connections.</summary>
/// <param name="IsDirect">Whether it is the server itself, and no pooler before it.</param>
/// <param name="Version">The server's major version.</param>
/// <param name="Role">The role that the transactions of companies run as in this database.</param>
internal sealed record ServerFacts(bool IsDirect, int Version, string Role);
