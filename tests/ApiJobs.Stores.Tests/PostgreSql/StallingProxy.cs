using System.Net;
using System.Net.Sockets;

namespace ApiJobs.Stores.Tests.PostgreSql;

/// <summary>A way to a server that stops passing on what one connection sends, as a client does that is stopped while it sends.</summary>
public sealed class StallingProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _closing = new();
    private readonly TaskCompletionSource _stalled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly int _serverPort;
    private readonly List<Task> _passing = [];
    private long _bytesLeft = long.MaxValue;

    public StallingProxy(int serverPort)
    {
        _serverPort = serverPort;
        _listener.Start();
        _passing.Add(AcceptAsync());
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Ends when a connection has been stopped.</summary>
    public Task Stalled => _stalled.Task;

    /// <summary>Passes so many bytes more to the server, and then nothing more of the connection that sent the last ones.</summary>
    public void StallAfter(long bytes) => Interlocked.Exchange(ref _bytesLeft, bytes);

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        _listener.Stop();
        await Task.WhenAll(_passing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _closing.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            var client = await _listener.AcceptTcpClientAsync(_closing.Token);
            var server = new TcpClient();
            await server.ConnectAsync(IPAddress.Loopback, _serverPort, _closing.Token);
            _passing.Add(PassAsync(client.GetStream(), server.GetStream(), isSending: true));
            _passing.Add(PassAsync(server.GetStream(), client.GetStream(), isSending: false));
        }
    }

    private async Task PassAsync(NetworkStream from, NetworkStream to, bool isSending)
    {
        var buffer = new byte[8_192];
        while (await from.ReadAsync(buffer, _closing.Token) is > 0 and var read)
        {
            if (isSending && Interlocked.Add(ref _bytesLeft, -read) < 0 && _stalled.TrySetResult())
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, _closing.Token);
            }

            await to.WriteAsync(buffer.AsMemory(0, read), _closing.Token);
        }

        to.Close();
    }
}
