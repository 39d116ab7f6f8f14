using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Npgsql;

namespace ApiJobs.Stores.Tests.PostgreSql;

/// <summary>A PgBouncer of a test's own, in transaction mode, from Debian's package: in front of any database of one server.</summary>
/// <remarks>
/// Nothing resets a server connection between two transactions here, neither the pooler nor the client: what a transaction
/// left behind in its session, the next one finds.
/// </remarks>
public sealed class PgBouncer : IAsyncDisposable
{
    private const string Program = "pgbouncer", UnprivilegedUser = "postgres";
    private const int PortTries = 3;

    // Only a pooler that hangs ever takes this long.
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(1);

    private readonly NpgsqlConnectionStringBuilder _server;
    private readonly int _poolSize;
    private readonly string _folder = Directory.CreateTempSubdirectory("apijobs-pgbouncer-").FullName;
    private readonly EventHandler _stopAtExit;
    private Process? _process;
    private int _port;

    private PgBouncer(string serverConnectionString, int poolSize)
    {
        _server = new(serverConnectionString);
        _poolSize = poolSize;
        // A run that is interrupted disposes nothing, and must not leave a pooler behind.
        _stopAtExit = (_, _) => Remove();
        AppDomain.CurrentDomain.ProcessExit += _stopAtExit;
    }

    /// <summary>Starts a pooler.</summary>
    /// <param name="serverConnectionString">A connection string of the server; whichever database it names.</param>
    /// <param name="poolSize">How many connections to the server there may be for each database.</param>
    /// <exception cref="InvalidOperationException">PgBouncer is not installed, or does not start; the message says what to do.</exception>
    public static async Task<PgBouncer> StartAsync(string serverConnectionString, int poolSize)
    {
        var pooler = new PgBouncer(serverConnectionString, poolSize);
        try
        {
            for (var tries = 1; ; tries++)
            {
                try
                {
                    pooler._port = FindFreePort();
                    await pooler.StartAgainAsync();
                    return pooler;
                }
                catch (InvalidOperationException) when (tries < PortTries)
                {
                    // Somebody else may have taken the port between the two lines above.
                }
            }
        }
        catch
        {
            await pooler.DisposeAsync();
            throw;
        }
    }

    /// <summary>The way to a server's database through the pooler, for PgBouncer older than 1.21.</summary>
    public string Route(string connectionString) => new NpgsqlConnectionStringBuilder(connectionString)
    {
        Host = "127.0.0.1",
        Port = _port,
        MaxAutoPrepare = 0,
    }.ConnectionString;

    /// <summary>Starts the pooler on its port, once it was stopped.</summary>
    public async Task StartAgainAsync()
    {
        var settings = Path.Combine(_folder, "pgbouncer.ini");
        await File.WriteAllTextAsync(settings, Settings());
        string[] command = [FindProgram(), settings];
        if (Environment.IsPrivilegedProcess)
        {
            // PgBouncer refuses to run as root, rightly: root's tests run it as PostgreSQL's user. setpriv becomes the pooler.
            using var owning = Process.Start("chown", ["-R", UnprivilegedUser, _folder]);
            await owning.WaitForExitAsync();
            command = ["setpriv", $"--reuid={UnprivilegedUser}", $"--regid={UnprivilegedUser}", "--clear-groups", .. command];
        }

        var log = new StringBuilder();
        var isUp = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        _process = new()
        {
            StartInfo = new(command[0], command[1..]) { RedirectStandardError = true, WorkingDirectory = "/" },
        };
        _process.ErrorDataReceived += (_, line) =>
        {
            if (!isUp.Task.IsCompleted)
                log.AppendLine(line.Data);
            if (line.Data is null)
                isUp.TrySetResult(false);
            else if (line.Data.Contains("process up", StringComparison.Ordinal))
                isUp.TrySetResult(true);
        };
        _process.Start();
        // Read to its end, because a pooler whose log nobody reads stands still.
        _process.BeginErrorReadLine();
        if (await isUp.Task.WaitAsync(StartLimit))
            return;
        Stop();
        throw new InvalidOperationException($"{string.Join(' ', command)} failed:\n{log}");
    }

    /// <summary>Ends the pooler at once, and all connections through it.</summary>
    public void Stop()
    {
        if (_process is null)
            return;
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        _process = null;
    }

    /// <summary>Stops the pooler and removes its folder.</summary>
    public ValueTask DisposeAsync()
    {
        AppDomain.CurrentDomain.ProcessExit -= _stopAtExit;
        Remove();
        return ValueTask.CompletedTask;
    }

    private void Remove()
    {
        Stop();
        Directory.Delete(_folder, recursive: true);
    }

    private static string FindProgram() =>
        // Debian keeps it where only administrators' paths look.
        $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin".Split(Path.PathSeparator)
            .Select(folder => Path.Combine(folder, Program))
            .FirstOrDefault(File.Exists)
        ?? throw new InvalidOperationException("These tests need PgBouncer. Install it (on Debian: apt-get install pgbouncer).");

    private static int FindFreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private string Settings() =>
        $"""
        [databases]
        * = host={_server.Host} port={_server.Port} user={_server.Username}{(_server.Password is null ? "" : $" password='{_server.Password.Replace("'", "''", StringComparison.Ordinal)}'")}
        [pgbouncer]
        listen_addr = 127.0.0.1
        listen_port = {_port}
        unix_socket_dir =
        auth_type = any
        pool_mode = transaction
        default_pool_size = {_poolSize}
        max_client_conn = 300
        server_reset_query =
        query_wait_timeout = 20
        """;
}
