using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace ApiJobs.Testing;

/// <summary>A PostgreSQL server of a test run's own, from Debian's package, in a temporary folder and on a free port.</summary>
/// <remarks>
/// It keeps fsync on: what the tests say about durability must be true. Where <c>APIJOBS_TEST_POSTGRESQL</c> has a
/// connection string (of a user that may make databases), that server is used instead, and cannot be stopped; where
/// <c>APIJOBS_TEST_POSTGRESQL_BIN</c> has a folder with another version's programs, those are used.
/// This file stands alone, so that other test projects can link it.
/// </remarks>
public sealed class PostgreSqlServer : IAsyncDisposable
{
    private const string ServerVariable = "APIJOBS_TEST_POSTGRESQL", ProgramsVariable = "APIJOBS_TEST_POSTGRESQL_BIN";
    private const string Owner = "postgres";
    private const int PortTries = 3, OldestVersion = 15;

    private static readonly TimeSpan CommandLimit = TimeSpan.FromMinutes(1);

    private readonly string? _folder;
    private readonly string? _programs;
    private Process? _watchdog;
    private int _port;

    private PostgreSqlServer(string? folder, string? programs)
    {
        _folder = folder;
        _programs = programs;
    }

    /// <summary>Where the server is; names its maintenance database.</summary>
    public string ConnectionString { get; private set; } = "";

    /// <summary>Starts a server.</summary>
    /// <exception cref="InvalidOperationException">PostgreSQL is not installed, or does not start; the message says what to do.</exception>
    public static async Task<PostgreSqlServer> StartAsync()
    {
        if (Environment.GetEnvironmentVariable(ServerVariable) is { Length: > 0 } given)
            return new(folder: null, programs: null) { ConnectionString = given };

        var server = new PostgreSqlServer(Directory.CreateTempSubdirectory("apijobs-postgresql-").FullName, FindPrograms());
        try
        {
            server._watchdog = server.StartWatchdog();
            await server.MakeClusterAsync();
            await server.StartOnFreePortAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Makes an empty database.</summary>
    /// <returns>Its connection string.</returns>
    public async Task<string> CreateDatabaseAsync()
    {
        var name = $"apijobs_{Guid.CreateVersion7():N}";
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync();
#pragma warning disable CA2100 // The name is hexadecimal digits.
        await using var command = new NpgsqlCommand($"CREATE DATABASE {name}", connection);
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync();
        return new NpgsqlConnectionStringBuilder(ConnectionString) { Database = name }.ConnectionString;
    }

    /// <summary>Stops the server as a crash would: nothing is flushed, and the next start recovers from the log.</summary>
    public async Task StopImmediateAsync()
    {
        ThrowIfNotOwn();
        await RunAsync(_programs!, "pg_ctl", "stop", "-D", DataFolder, "-m", "immediate", "-w");
    }

    /// <summary>Starts the server again, on the same port.</summary>
    public async Task StartAgainAsync()
    {
        ThrowIfNotOwn();
        await StartOnAsync(_port);
    }

    /// <summary>Starts the server again as a standby that waits to be promoted.</summary>
    public async Task StartAsStandbyAsync()
    {
        ThrowIfNotOwn();
        await File.WriteAllTextAsync(Path.Combine(DataFolder, "standby.signal"), "");
        await StartOnAsync(_port);
    }

    /// <summary>Stops the server and removes its folder. A server from the environment is left as it is.</summary>
    public ValueTask DisposeAsync()
    {
        StopNow();
        return ValueTask.CompletedTask;
    }

    private string DataFolder => Path.Combine(_folder!, "data");

    private static bool IsRoot => Environment.IsPrivilegedProcess;

    private static string FindPrograms()
    {
        if (Environment.GetEnvironmentVariable(ProgramsVariable) is { Length: > 0 } given)
            return given;
        const string debian = "/usr/lib/postgresql";
        var newest = Directory.Exists(debian)
            ? Directory.GetDirectories(debian)
                .Where(folder => int.TryParse(Path.GetFileName(folder), out var version) && version >= OldestVersion)
                .OrderByDescending(folder => int.Parse(Path.GetFileName(folder), System.Globalization.CultureInfo.InvariantCulture))
                .Select(folder => Path.Combine(folder, "bin"))
                .FirstOrDefault(folder => File.Exists(Path.Combine(folder, "initdb")))
            : null;
        var onPath = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .FirstOrDefault(folder => File.Exists(Path.Combine(folder, "initdb")));
        return newest ?? onPath ?? throw new InvalidOperationException(
            $"These tests need PostgreSQL {OldestVersion} or newer. Install it (on Debian: apt-get install postgresql), "
            + $"or set {ServerVariable} to a server's connection string.");
    }

    private async Task MakeClusterAsync()
    {
        if (IsRoot)
            await RunProcessAsync("chown", [Owner, _folder!]);
        await RunAsync(
            _programs!, "initdb", "-D", DataFolder, "-U", Owner, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync");
    }

    private async Task StartOnFreePortAsync()
    {
        for (var tries = 1; ; tries++)
        {
            using (var listener = new TcpListener(IPAddress.Loopback, 0))
            {
                listener.Start();
                _port = ((IPEndPoint)listener.LocalEndpoint).Port;
            }

            try
            {
                await StartOnAsync(_port);
                break;
            }
            catch (InvalidOperationException) when (tries < PortTries)
            {
                // Somebody else may have taken the port between the two lines above.
            }
        }

        ConnectionString = new NpgsqlConnectionStringBuilder
        {
            Host = "127.0.0.1",
            Port = _port,
            Username = Owner,
            Database = Owner,
        }.ConnectionString;
    }

    private async Task StartOnAsync(int port) => await RunAsync(
        _programs!, "pg_ctl", "start", "-w", "-D", DataFolder, "-l", Path.Combine(_folder!, "log"),
        "-o", $"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={DataFolder} -c max_connections=300");

    /// <summary>Starts what stops the server and removes its folder when this process ends, however it ends: also by kill -9.</summary>
    private Process StartWatchdog()
    {
        // It reads a pipe that nobody writes to, and that ends with this process.
        const string script = """trap '' INT TERM HUP; read -r line; "$@"; rm -rf "$FOLDER" """;
        string[] stop = [.. As(Owner), Path.Combine(_programs!, "pg_ctl"), "stop", "-D", DataFolder, "-m", "immediate", "-w"];
        var start = new ProcessStartInfo("sh", ["-c", script, "watchdog", .. stop])
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            WorkingDirectory = "/",
        };
        start.Environment["FOLDER"] = _folder!;
        return Process.Start(start)!;
    }

    private void StopNow()
    {
        if (_folder is null || !Directory.Exists(_folder))
            return;
        _watchdog?.Kill();
        _watchdog?.Dispose();
        if (File.Exists(Path.Combine(DataFolder, "postmaster.pid")))
            RunAsync(_programs!, "pg_ctl", "stop", "-D", DataFolder, "-m", "immediate", "-w").GetAwaiter().GetResult();
        Directory.Delete(_folder, recursive: true);
    }

    private void ThrowIfNotOwn()
    {
        if (_folder is null)
            throw new InvalidOperationException($"The server that {ServerVariable} names is not this run's to stop. Unset it to run this test.");
    }

    // PostgreSQL refuses to run as root, rightly: root's tests run it as Debian's user for it.
    private static Task RunAsync(string programs, string program, params string[] arguments)
    {
        var path = Path.Combine(programs, program);
        string[] command = [.. As(Owner), path, .. arguments];
        return RunProcessAsync(command[0], command[1..]);
    }

    private static string[] As(string user) => IsRoot ? ["setpriv", $"--reuid={user}", $"--regid={user}", "--clear-groups"] : [];

    private static async Task RunProcessAsync(string path, string[] arguments)
    {
        // "/": PostgreSQL's user may not be allowed into the folder the tests run in.
        var start = new ProcessStartInfo(path, arguments) { RedirectStandardError = true, RedirectStandardOutput = true, WorkingDirectory = "/" };
        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(CommandLimit);
        var errors = process.StandardError.ReadToEndAsync(limit.Token);
        var output = process.StandardOutput.ReadToEndAsync(limit.Token);
        await process.WaitForExitAsync(limit.Token);
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{path} {string.Join(' ', arguments)} failed:\n{await output}\n{await errors}");
    }
}
