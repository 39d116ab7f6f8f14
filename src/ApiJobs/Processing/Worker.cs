using ApiJobs.Operations;
using ApiJobs.Storage;
using Microsoft.Extensions.Logging;

namespace ApiJobs.Processing;

/// <summary>The loop of one worker slot: claim a lane, serve it for a slice, give it back.</summary>
/// <remarks>Every fault of the infrastructure ends up here, and only here: the worker waits a little and goes on. None fails a job.</remarks>
internal sealed class Worker(
    ILaneStore store, OperationCatalog operations, WorkerOptions options, WorkPace pace, TimeProvider time, ILogger logger)
{
    private readonly GroupSize _size = new(options);

    /// <summary>Works until <paramref name="stopping"/>; the group at hand is finished and the lane given back.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        var faults = 0;
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                if (await store.ClaimLaneAsync(options.NodeName, options.Lease, stopping) is { } lease)
                    await ServeAsync(lease, stopping);
                else
                    await store.WaitForWorkAsync(options.PollInterval, stopping);
                faults = 0;
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                faults++;
                var pause = Backoff(faults);
                logger.Log(
                    exception is StoreUnavailableException ? LogLevel.Warning : LogLevel.Error, exception,
                    "A worker could not go on; it tries again in {PauseMilliseconds:N0} ms.", pause.TotalMilliseconds);
                await Task.Delay(pause, time, stopping).ContinueWith(
                    static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            }
        }
    }

    private async Task ServeAsync(LaneLease lease, CancellationToken stopping)
    {
        try
        {
            await using var keeper = new LeaseKeeper(lease, store, options.Lease, time, logger);
            try
            {
                await new LaneSlice(lease, store, operations, options, pace, _size, time, logger).RunAsync(stopping, keeper.Lost);
            }
            catch (OperationCanceledException) when (keeper.Lost.IsCancellationRequested)
            {
                // The group at hand was rolled back; whoever holds the lane now applies it.
            }
        }
        finally
        {
            await store.ReleaseLaneAsync(lease, fault: null, CancellationToken.None);
        }
    }

    // From 50 ms doubling to about 5 s; the jitter keeps the workers of many nodes from returning in step.
    private static TimeSpan Backoff(int faults)
    {
        var milliseconds = Math.Min(50 * Math.Pow(2, Math.Min(faults - 1, 10)), 5_000);
#pragma warning disable CA5394 // Jitter needs no secrecy.
        return TimeSpan.FromMilliseconds(milliseconds * (0.5 + Random.Shared.NextDouble() * 0.5));
#pragma warning restore CA5394
    }
}
