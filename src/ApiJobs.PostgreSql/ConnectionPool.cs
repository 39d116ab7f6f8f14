using System.Data.Common;
using Npgsql;

namespace ApiJobs.PostgreSql;

/// <summary>The node's connections: what the configured string leaves open, and nothing it says otherwise.</summary>
/// <remarks>
/// <para>The store's own statements are prepared, because planning one costs several times what running it does. A pooler in
/// transaction mode hands every transaction to another session, in which nothing is prepared; so the first connection
/// asks whether the session at the other end is the one that answered (a pooler gives a process id of its own), and
/// behind a pooler nothing is prepared.</para>
/// <para>They are prepared by name and in front of their first use, not by Npgsql's <c>Max Auto Prepare</c>: that prepares while
/// it executes, and when a batch fails in between, the next one on the connection can meet answers it does not expect.</para>
/// <para>Sessions are not reset between two uses: every setting that the store makes ends with its transaction.</para>
/// </remarks>
internal sealed class ConnectionPool : IAsyncDisposable
{
    private enum Preparing { Unknown, On, Off }

    private readonly NpgsqlDataSource _source;

    // Unless configured, the first connection finds out.
    private volatile Preparing _preparing;

    /// <summary>Makes the pool. No connection is opened yet.</summary>
    /// <param name="connectionString">The string as configured.</param>
    /// <param name="prepare">Whether to prepare statements; null to find out.</param>
    /// <exception cref="ArgumentException">The connection string is malformed.</exception>
    internal ConnectionPool(string connectionString, bool? prepare)
    {
        _preparing = prepare switch { null => Preparing.Unknown, true => Preparing.On, false => Preparing.Off };
        var given = new DbConnectionStringBuilder { ConnectionString = connectionString };
        var builder = new NpgsqlConnectionStringBuilder(connectionString);
        // Keepalive of the socket, not of the session: it passes through a pooler, and finds a peer that vanished.
        if (!Says("Tcp Keepalive"))
            builder.TcpKeepAlive = true;
        if (!Says("Application Name"))
            builder.ApplicationName = "apijobs";
        if (!Says("No Reset On Close"))
            builder.NoResetOnClose = true;
        _source = NpgsqlDataSource.Create(builder);

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
        var connection = await _source.OpenConnectionAsync(cancellationToken);
        if (_preparing != Preparing.Unknown)
            return connection;

        // Several may ask at the same time, and find the same.
        try
        {
            await using var command = new NpgsqlCommand("SELECT pg_backend_pid()", connection);
            var isDirect = connection.ProcessID == (int)(await command.ExecuteScalarAsync(cancellationToken))!;
            _preparing = isDirect ? Preparing.On : Preparing.Off;
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Prepares a batch of the store's own statements, if they can be. Where the connection has them already, that costs nothing.</summary>
    internal Task PrepareAsync(NpgsqlBatch batch, CancellationToken cancellationToken) =>
        _preparing == Preparing.On ? batch.PrepareAsync(cancellationToken) : Task.CompletedTask;

    public ValueTask DisposeAsync() => _source.DisposeAsync();
}
