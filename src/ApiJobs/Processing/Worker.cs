using ApiJobs.Jobs;
using ApiJobs.Storage;

namespace ApiJobs.Processing;

/// <summary>The loop of one worker slot: claim a lane, serve it for a slice, give it back.</summary>
/// <remarks>
/// Every fault ends up here, and only here, and none fails a job. One that comes up while a lane is served is the lane's: the lane
/// is left alone for a while, and the worker goes straight on to others. Only when the store cannot be asked for a lane does the
/// worker itself wait.
/// </remarks>
internal sealed class Worker(WorkerNode node)
{
    /// <summary>Works until <paramref name="stopping"/>; the group at hand is finished and the lane given back.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        var faults = 0;
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                if (await node.Store.ClaimLaneAsync(node.Options.ShownNodeName, node.Options.Lease, stopping) is { } lease)
                {
                    await ServeAsync(lease, stopping);
                }
                else
                {
                    node.Outage.End();
                    await node.Store.WaitForWorkAsync(node.Options.PollInterval, stopping);
                }

                faults = 0;
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                faults++;
                await PauseAsync(Backoff.After(faults), exception, stopping);
            }
        }
    }

    private async Task ServeAsync(LaneLease lease, CancellationToken stopping)
    {
        LaneFault? fault = null;
        var began = node.Time.GetTimestamp();
        await using (var keeper = new LeaseKeeper(lease, node))
        {
            try
            {
                await new LaneSlice(lease, node).RunAsync(stopping, keeper.Lost);
                node.Outage.End();
            }
            catch (OperationCanceledException) when (keeper.Lost.IsCancellationRequested)
            {
                // The group at hand was rolled back; whoever holds the lane now applies it.
            }
            catch (Exception exception)
            {
                fault = FaultOf(lease, exception);
            }
        }

        if (fault is null && lease.Faults > 0)
            node.Logger.LaneWell(lease.Lane, lease.CompanyId, lease.Faults);
        var turnUsed = node.Time.GetElapsedTime(began) / node.Options.Slice;
        await node.Store.ReleaseLaneAsync(lease with { TurnUsed = turnUsed }, fault, CancellationToken.None);
    }

    private LaneFault FaultOf(LaneLease lease, Exception exception)
    {
        var faults = lease.Faults + 1;
        var pause = Backoff.After(faults);
        // A lane that stays ill is told of ever more seldom: the 1st, 2nd, 4th, 8th time.
        var isTold = (faults & lease.Faults) == 0;
        if (exception is StoreUnavailableException away)
            node.Outage.Note(away);
        else if (isTold)
            node.Logger.LaneIll(exception, lease.Lane, lease.CompanyId, faults, pause.TotalMilliseconds);
        return new($"{exception.GetType().Name}: {exception.Message}", pause) { Log = isTold ? LogOf(exception, faults, pause) : null };
    }

    private JobLogEntry LogOf(Exception exception, int faults, TimeSpan pause) => new(
        JobLogEvents.LaneIll,
        $"The job's lane could not go on, because {FaultReason.Of(exception, node.Store)}{(faults == 1 ? "" : $", {faults} times in a row")}. "
        + $"It is left alone for {Math.Max(1, (long)pause.TotalSeconds)} s.");

    private async Task PauseAsync(TimeSpan pause, Exception exception, CancellationToken stopping)
    {
        if (exception is StoreUnavailableException away)
            node.Outage.Note(away);
        else
            node.Logger.WorkerPaused(exception, pause.TotalMilliseconds);
        await Task.Delay(pause, node.Time, stopping).ContinueWith(
            static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }
}
