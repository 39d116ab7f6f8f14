using System.Data.Common;
using Npgsql;

namespace ApiJobs.PostgreSql;

/// <summary>The node's connections: what the configured string leaves open, and nothing it says otherwise.</summary>
/// <remarks>
/// <para>Statements are prepared as they are used again, because planning one costs several times what running it does. A pooler
/// in transaction mode hands every transaction to another session, in which nothing is prepared; so the first connection
/// asks whether the session at the other end is the one that answered (a pooler gives a process id of its own), and
/// behind a pooler nothing is prepared. <c>Max Auto Prepare</c> in the string decides instead.</para>
/// <para>Sessions are not reset between two uses: every setting that the store makes ends with its transaction.</para>
/// </remarks>
internal sealed class ConnectionPool : IAsyncDisposable
{
    // More than the store's own statements; those of resources come in a variety that callers choose, the least used go.
    private const int PreparedStatements = 100;

    private readonly NpgsqlDataSource _asGiven, _preparing;
    private volatile NpgsqlDataSource? _chosen;

    /// <summary>Makes the pool. No connection is opened yet.</summary>
    /// <exception cref="ArgumentException">The connection string is malformed.</exception>
    internal ConnectionPool(string connectionString)
    {
        var given = new DbConnectionStringBuilder { ConnectionString = connectionString };
        var builder = new NpgsqlConnectionStringBuilder(connectionString);
        // Keepalive of the socket, not of the session: it passes through a pooler, and finds a peer that vanished.
        if (!Says("Tcp Keepalive"))
            builder.TcpKeepAlive = true;
        if (!Says("Application Name"))
            builder.ApplicationName = "apijobs";
        if (!Says("No Reset On Close"))
            builder.NoResetOnClose = true;
        _asGiven = NpgsqlDataSource.Create(builder);
        if (Says("Max Auto Prepare"))
            _chosen = _asGiven;
        builder.MaxAutoPrepare = PreparedStatements;
        if (!Says("Auto Prepare Min Usages"))
            builder.AutoPrepareMinUsages = 2;
        _preparing = NpgsqlDataSource.Create(builder);

        bool Says(string keyword) =>
            given.ContainsKey(keyword) || given.ContainsKey(keyword.Replace(" ", "", StringComparison.Ordinal));
    }

    /// <summary>The string of the one connection that listens for wake-ups.</summary>
    internal static string Listening(string connectionString)
    {
        // One connection for a node's life: pooling would hand it to others, and without a keepalive a dead
        // network would look like a quiet one.
        var builder = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false, KeepAlive = 30 };
        return builder.ConnectionString;
    }

    /// <summary>Takes a connection. Disposing it gives it back.</summary>
    internal async ValueTask<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken)
    {
        if (_chosen is { } chosen)
            return await chosen.OpenConnectionAsync(cancellationToken);

        // Several may ask at the same time, and find the same.
        var connection = await _asGiven.OpenConnectionAsync(cancellationToken);
        try
        {
            await using var command = new NpgsqlCommand("SELECT pg_backend_pid()", connection);
            var isDirect = connection.ProcessID == (int)(await command.ExecuteScalarAsync(cancellationToken))!;
            _chosen = isDirect ? _preparing : _asGiven;
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _preparing.DisposeAsync();
        await _asGiven.DisposeAsync();
    }
}
