using ApiJobs.Operations;
using ApiJobs.Storage;
using Microsoft.Extensions.Logging;

namespace ApiJobs.Processing;

/// <summary>A worker's turn in a lane: applies its chunks, group after group, until other lanes should have theirs.</summary>
/// <remarks>While one group is being applied the next is already read and prepared, so the store and the CPU work at the same time.</remarks>
internal sealed class LaneSlice(
    LaneLease lease, ILaneStore store, OperationCatalog operations, WorkerOptions options, WorkPace pace, GroupSize size,
    TimeProvider time, ILogger logger)
{
    private JobMessageWriter _message = new(options.MaxMessageBytes);

    /// <summary>Serves the lane.</summary>
    /// <param name="stopping">Ends the turn after the group at hand.</param>
    /// <param name="leaseLost">Ends it at once; the group at hand is rolled back.</param>
    public async Task RunAsync(CancellationToken stopping, CancellationToken leaseLost)
    {
        var began = time.GetTimestamp();
        var lastGroup = TimeSpan.Zero;
        var group = await ReadAsync(null, leaseLost);
        while (group.Chunks.Count > 0)
        {
            // Whether to go on is decided before the group at hand is applied, so that nothing is read ahead in vain.
            var goOn = !stopping.IsCancellationRequested
                && (time.GetElapsedTime(began) + lastGroup < options.Slice || !await store.IsLaneWaitingAsync(leaseLost));
            var next = goOn ? ReadAsync(group.Chunks[^1], leaseLost) : null;
            var groupBegan = time.GetTimestamp();
            var applied = false;
            try
            {
                applied = await ApplyAsync(group, leaseLost);
            }
            finally
            {
                // Somebody else works here, or the job was ended: what was read ahead is out of date.
                if (!applied)
                    await IgnoreAsync(next);
            }

            if (!applied)
                return;
            lastGroup = time.GetElapsedTime(groupBegan);
            size.Adapt(group.RecordCount, lastGroup);
            pace.Observe(group.RecordCount, lastGroup);
            if (next is null)
                return;
            group = await next;
        }
    }

    private Task<ChunkGroup> ReadAsync(PendingChunk? after, CancellationToken cancellationToken) => Task.Run(
        async () => ChunkGroup.Prepare(await store.ReadAheadAsync(lease, after, size.MaxRecords, cancellationToken), operations),
        cancellationToken);

    private async Task<bool> ApplyAsync(ChunkGroup group, CancellationToken cancellationToken)
    {
        try
        {
            return await AttemptAsync(group, isolate: false, cancellationToken);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested && !store.IsTransient(exception))
        {
            logger.LogWarning(
                exception, "A group of {RecordCount} records from job {JobId} on was rolled back; its records are tried in smaller groups.",
                group.RecordCount, group.Chunks[0].Job.Id);
            return await AttemptAsync(group, isolate: true, cancellationToken);
        }
    }

    private async Task<bool> AttemptAsync(ChunkGroup group, bool isolate, CancellationToken cancellationToken)
    {
        var message = _message.Fork();
        var applier = new ChunkApplier(group, message, store, isolate, logger);
        if ((await store.ApplyAsync(lease, group.Chunks, applier.ApplyAsync, cancellationToken)).Count == 0)
        {
            logger.LogInformation("The cursor of job {JobId} was moved by somebody else; the group was dropped.", group.Chunks[0].Job.Id);
            return false;
        }

        _message = message;
        return true;
    }

    private static async Task IgnoreAsync(Task? task)
    {
        if (task is not null)
            await task.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }
}
