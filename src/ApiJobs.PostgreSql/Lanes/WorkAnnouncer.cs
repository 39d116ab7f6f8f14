using ApiJobs.PostgreSql.Session;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace ApiJobs.PostgreSql.Lanes;

/// <summary>Tells this node's workers and the other nodes that a lane has got work.</summary>
/// <remarks>
/// NOTIFY takes a lock at commit that the whole PostgreSQL instance shares, so it is sent alone, after the sealing
/// transaction, and never more often than the interval: what is sealed meanwhile is covered by the next one.
/// </remarks>
internal sealed class WorkAnnouncer(ConnectionPool connections, WorkSignal local, TimeSpan interval, ILogger logger) : IAsyncDisposable
{
    internal const string Channel = "apijobs_work";

    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _lock = new();
    private Task _sending = Task.CompletedTask;
    private bool _isSending, _isWanted;

    internal void Announce()
    {
        local.Pulse();
        lock (_lock)
        {
            _isWanted = true;
            if (_isSending || _stopping.IsCancellationRequested)
                return;
            _isSending = true;
            _sending = Task.Run(SendWhileWantedAsync);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Task sending;
        lock (_lock)
        {
            _stopping.Cancel();
            sending = _sending;
        }

        await sending;
        _stopping.Dispose();
    }

    private async Task SendWhileWantedAsync()
    {
        try
        {
            while (TakeWanted())
            {
                await SendAsync(_stopping.Token);
                // The pace is the real database's; a clock that a test steers has no part in it.
                await Task.Delay(interval, TimeProvider.System, _stopping.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The store is being closed; the other nodes poll.
        }
    }

    private bool TakeWanted()
    {
        lock (_lock)
        {
            _isSending = _isWanted;
            _isWanted = false;
            return _isSending;
        }
    }

    private async Task SendAsync(CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await connections.OpenAsync(cancellationToken);
            await using var command = new NpgsqlCommand($"SELECT pg_notify('{Channel}', '')", connection);
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (NpgsqlException exception)
        {
            logger.LogDebug(exception, "A wake-up could not be sent; other nodes find the work by polling.");
        }
    }
}
