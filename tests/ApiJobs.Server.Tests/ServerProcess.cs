using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.RegularExpressions;

namespace ApiJobs.Server.Tests;

/// <summary>The real server as a child process: started on a free port, watched, stopped or killed.</summary>
/// <remarks>
/// Needs nothing but the server's files, which a project reference copies beside the tests. Other projects link this
/// file. Settings are given as environment variables, so that secrets do not show in the list of processes; what the
/// parent has of the kind is not inherited.
/// </remarks>
public sealed partial class ServerProcess : IAsyncDisposable
{
    private const int MaxOutputLines = 20_000;

    private static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(90);

    private readonly ConcurrentQueue<string> _output = new();
    private readonly Process _process;
    private readonly TaskCompletionSource<Uri> _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly EventHandler _killWithParent;

    private ServerProcess(Process process)
    {
        _process = process;
        _killWithParent = (_, _) => TryKill();
        AppDomain.CurrentDomain.ProcessExit += _killWithParent;
    }

    /// <summary>Where the server listens.</summary>
    public Uri Url { get; private set; } = null!;

    /// <summary>A client with <see cref="Url"/> as its base address.</summary>
    public HttpClient Http { get; private set; } = null!;

    /// <summary>The operating system's id of the process.</summary>
    public int Id => _process.Id;

    /// <summary>What the process has written so far, its last twenty thousand lines.</summary>
    public string Output => string.Join('\n', _output);

    /// <summary>Whether the process has ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>Starts the server and waits until it is ready.</summary>
    /// <param name="settings">Configuration, by names such as <c>Storage:ConnectionString</c>. Listens on a free port unless <c>urls</c> is among it.</param>
    /// <param name="folder">The working folder, which relative paths start from.</param>
    /// <param name="serverDll">The server to start; the one beside the tests if left out.</param>
    /// <param name="cancellationToken">Gives up waiting, and kills the process.</param>
    /// <exception cref="InvalidOperationException">The process ended, or was not ready in time; the message has its output.</exception>
    public static async Task<ServerProcess> StartAsync(
        IEnumerable<KeyValuePair<string, string>> settings, string folder, string? serverDll = null, CancellationToken cancellationToken = default)
    {
        var all = new Dictionary<string, string>(settings, StringComparer.OrdinalIgnoreCase);
        all.TryAdd("urls", "http://127.0.0.1:0");
        var server = new ServerProcess(MakeProcess([], all, folder, serverDll));
        try
        {
            server.Launch();
            using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            deadline.CancelAfter(StartDeadline);
            server.Url = await server._listening.Task.WaitAsync(deadline.Token);

            // A test that serves https makes its own certificate.
            server.Http = new(new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = static (_, certificate, _, _) => certificate?.Subject == "CN=localhost" } }) { BaseAddress = server.Url };
            await server.WaitUntilReadyAsync(new(all.TryGetValue("Http:HealthUrl", out var health) ? new(health) : server.Url, "/health/ready"), deadline.Token);
            return server;
        }
        catch (Exception exception)
        {
            await server.DisposeAsync();
            throw new InvalidOperationException($"The server did not start: {exception.Message}\n{server.Output}", exception);
        }
    }

    /// <summary>Runs one of the server's commands to its end.</summary>
    public static async Task<CommandResult> RunCommandAsync(
        IEnumerable<string> arguments, IEnumerable<KeyValuePair<string, string>> settings, string folder, CancellationToken cancellationToken = default)
    {
        using var process = MakeProcess(arguments, settings, folder, serverDll: null);
        process.Start();
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var errors = process.StandardError.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        return new(process.ExitCode, await output, await errors);
    }

    /// <summary>Kills the process at once, as a crash would, and waits until it is gone.</summary>
    public Task KillAsync()
    {
        TryKill();
        return _process.WaitForExitAsync();
    }

    /// <summary>Asks the process to stop, and waits until it has.</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> StopAsync()
    {
        if (!_process.HasExited)
            await SignalAsync("TERM");
        await _process.WaitForExitAsync();
        return _process.ExitCode;
    }

    /// <summary>Sends a signal by its name: <c>STOP</c>, <c>CONT</c>, <c>TERM</c>, …</summary>
    public async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
    }

    /// <summary>Kills the process if it still runs.</summary>
    public async ValueTask DisposeAsync()
    {
        AppDomain.CurrentDomain.ProcessExit -= _killWithParent;
        if (TryKill())
            await _process.WaitForExitAsync();
        Http?.Dispose();
        _process.Dispose();
    }

    private static Process MakeProcess(
        IEnumerable<string> arguments, IEnumerable<KeyValuePair<string, string>> settings, string folder, string? serverDll)
    {
        var start = new ProcessStartInfo("dotnet", ["exec", serverDll ?? Path.Combine(AppContext.BaseDirectory, "ApiJobs.Server.dll"), .. arguments])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("ASPNETCORE_", StringComparison.Ordinal) || name.Contains("__")).ToList())
            start.Environment.Remove(name);
        foreach (var (name, value) in settings)
            start.Environment[name.Replace(":", "__", StringComparison.Ordinal)] = value;
        return new() { StartInfo = start, EnableRaisingEvents = true };
    }

    private void Launch()
    {
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.Exited += (_, _) => _listening.TrySetException(new InvalidOperationException("The process ended."));
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    private void Keep(string? line)
    {
        if (line is null)
            return;
        _output.Enqueue(line);
        if (_output.Count > MaxOutputLines)
            _output.TryDequeue(out _);
        if (ListeningOn().Match(line) is { Success: true } match)
            _listening.TrySetResult(new(match.Groups["url"].Value));
    }

    private async Task WaitUntilReadyAsync(Uri ready, CancellationToken cancellationToken)
    {
        while (true)
        {
            using var answer = await Http.GetAsync(ready, cancellationToken);
            if (answer.IsSuccessStatusCode)
                return;
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, cancellationToken);
        }
    }

    private bool TryKill()
    {
        try
        {
            _process.Kill();
            return true;
        }
        catch (InvalidOperationException)
        {
            // It was never started, or has ended.
            return false;
        }
    }

    // The first address; the console's JSON and plain formats both have it.
    [GeneratedRegex("""Now listening on: (?<url>https?://[^\s"\\]+)""")]
    private static partial Regex ListeningOn();
}

/// <summary>How a command ended.</summary>
public sealed record CommandResult(int ExitCode, string Output, string Errors);
