using Microsoft.Extensions.Logging;
using Npgsql;

namespace ApiJobs.PostgreSql.Lanes;

/// <summary>Listens on one connection of its own for the wake-ups of other nodes, and connects again when it is cut.</summary>
internal sealed class WorkListener(string connectionString, WorkSignal signal, ILogger logger) : IAsyncDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1), LongestPause = TimeSpan.FromSeconds(30);

    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _lock = new();
    private Task? _listening;

    /// <summary>Begins to listen. Nothing happens if it did already.</summary>
    internal void Start()
    {
        lock (_lock)
        {
            if (!_stopping.IsCancellationRequested)
                _listening ??= Task.Run(ListenAsync);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Task? listening;
        lock (_lock)
        {
            _stopping.Cancel();
            listening = _listening;
        }

        if (listening is not null)
            await listening;
        _stopping.Dispose();
    }

    private async Task ListenAsync()
    {
        var pause = FirstPause;
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                await using var connection = new NpgsqlConnection(connectionString);
                await connection.OpenAsync(_stopping.Token);
                connection.Notification += (_, _) => signal.Pulse();
                await using (var command = new NpgsqlCommand($"LISTEN {WorkAnnouncer.Channel}", connection))
                    await command.ExecuteNonQueryAsync(_stopping.Token);

                // What was announced while nobody listened is looked for now.
                signal.Pulse();
                pause = FirstPause;
                while (true)
                    await connection.WaitAsync(_stopping.Token);
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // Listening is worth trying again after anything: until then workers poll.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                logger.LogWarning(exception, "Listening for wake-ups was interrupted; polling until it works again, next try in {Pause}.", pause);
            }

            await PauseAsync(pause * (0.75 + (Random.Shared.NextDouble() / 2)));
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    private async Task PauseAsync(TimeSpan pause)
    {
        try
        {
            await Task.Delay(pause, TimeProvider.System, _stopping.Token);
        }
        catch (OperationCanceledException)
        {
            // The store is being closed.
        }
    }
}
