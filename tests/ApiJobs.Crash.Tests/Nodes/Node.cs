using System.Globalization;
using ApiJobs.Server.Tests;

namespace ApiJobs.Crash.Tests.Nodes;

/// <summary>A node's process, as the rounds see it: started, killed and started again with the same settings.</summary>
/// <param name="name">The node's name in the applied log.</param>
/// <param name="settings">Its configuration.</param>
/// <param name="folder">Its working folder.</param>
/// <param name="isRealServer">Whether it is ApiJobs.Server itself, with OAuth and no applied log.</param>
internal sealed class Node(string name, IReadOnlyDictionary<string, string> settings, string folder, bool isRealServer) : IAsyncDisposable
{
    private ServerProcess? _process;
    private volatile Uri? _url;

    public string Name => name;

    /// <summary>Where it listens; null while it is down.</summary>
    public Uri? Url => _url;

    /// <summary>What the process wrote since it was last started.</summary>
    public string Output => _process?.Output ?? "";

    /// <summary>Starts the process and waits until it is ready.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await StopWatchingAsync();
        var all = new Dictionary<string, string>(settings);
        if (!isRealServer)
        {
            all[NodeProgram.Role] = NodeProgram.NodeRole;
            all[NodeProgram.Name] = name;
        }

        var program = isRealServer ? null : typeof(Node).Assembly.Location;
        _process = await ServerProcess.StartAsync(all, folder, program, cancellationToken);
        _url = _process.Url;
    }

    /// <summary>Starts the process and kills it after a time, ready or not.</summary>
    /// <returns>Whether it was killed; if false, it was ready before and runs.</returns>
    public async Task<bool> StartAndKillAsync(TimeSpan after)
    {
        using var kill = new CancellationTokenSource(after, TimeProvider.System);
        try
        {
            await StartAsync(kill.Token);
            return false;
        }
        catch (InvalidOperationException exception) when (exception.InnerException is OperationCanceledException)
        {
            return true;
        }
    }

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        if (_process is null)
            return;
        await _process.KillAsync();
        await StopWatchingAsync();
    }

    /// <summary>Sends a signal by its name: <c>STOP</c>, <c>CONT</c>, …</summary>
    public Task SignalAsync(string signal) => _process!.SignalAsync(signal);

    public async ValueTask DisposeAsync() => await StopWatchingAsync();

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{name} ({_process?.Id})");

    private async Task StopWatchingAsync()
    {
        _url = null;
        if (_process is { } process)
        {
            _process = null;
            await process.DisposeAsync();
        }
    }
}
