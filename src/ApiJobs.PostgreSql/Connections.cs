using System.Data.Common;
using Npgsql;

namespace ApiJobs.PostgreSql;

/// <summary>How connections are made: what the configured string leaves open, and nothing it says otherwise.</summary>
internal static class Connections
{
    internal static NpgsqlDataSource Pool(string connectionString)
    {
        var given = new DbConnectionStringBuilder { ConnectionString = connectionString };
        var builder = new NpgsqlConnectionStringBuilder(connectionString);
        // Keepalive of the socket, not of the session: it passes through a pooler, and finds a peer that vanished.
        if (!given.ContainsKey("Tcp Keepalive") && !given.ContainsKey("TcpKeepalive"))
            builder.TcpKeepAlive = true;
        if (!given.ContainsKey("Application Name") && !given.ContainsKey("ApplicationName"))
            builder.ApplicationName = "apijobs";
        return NpgsqlDataSource.Create(builder);
    }

    internal static string Listening(string connectionString)
    {
        // One connection for a node's life: pooling would hand it to others, and without a keepalive a dead
        // network would look like a quiet one.
        var builder = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false, KeepAlive = 30 };
        return builder.ConnectionString;
    }
}
