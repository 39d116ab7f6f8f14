using ApiJobs.Jobs;
using ApiJobs.Storage;

namespace ApiJobs.Processing;

/// <summary>A worker's turn in a lane: applies its chunks, group after group, until other lanes should have theirs.</summary>
/// <remarks>While one group is being applied the next is already read and prepared, so the store and the CPU work at the same time.</remarks>
internal sealed class LaneSlice(LaneLease lease, WorkerNode node)
{
    private readonly LaneReader _reader = new(lease, node);
    private readonly List<JobLogEntry> _untold = [];
    private JobMessageWriter _message = new(node.Options.MaxMessageBytes);
    private FailureTally _tally = new();
    private bool _hasEndedEarly;

    /// <summary>Serves the lane.</summary>
    /// <param name="stopping">Ends the turn after the group at hand.</param>
    /// <param name="leaseLost">Ends it at once; the group at hand is rolled back.</param>
    public async Task RunAsync(CancellationToken stopping, CancellationToken leaseLost)
    {
        if (lease.TakenFrom is { } holder)
        {
            node.Logger.LaneTakenOver(lease.Lane, lease.CompanyId, holder);
            _untold.Add(new(JobLogEvents.TakenOver, "The worker that had the job's lane stopped without giving it back; another one went on."));
        }

        var began = node.Time.GetTimestamp();
        var lastGroup = TimeSpan.Zero;
        var group = await _reader.ReadAsync(leaseLost);
        while (group.Chunks.Count > 0)
        {
            // Whether to go on is decided before the group at hand is applied, so that nothing is read ahead in vain.
            var goOn = !stopping.IsCancellationRequested
                && (node.Time.GetElapsedTime(began) + lastGroup < node.Options.Slice || !await node.Store.IsLaneWaitingAsync(leaseLost));
            var next = goOn ? _reader.ReadAsync(leaseLost) : null;
            var groupBegan = node.Time.GetTimestamp();
            ChunkGroup? applied = null;
            try
            {
                applied = await ApplyAsync(group, leaseLost);
            }
            finally
            {
                // Somebody else works here, a job was ended, or only a part could be applied: what was read ahead is out of date.
                if (applied != group || _hasEndedEarly)
                    await IgnoreAsync(next);
            }

            if (applied is null)
                return;
            lastGroup = node.Time.GetElapsedTime(groupBegan);
            node.Pace.Observe(applied.RecordCount, lastGroup);
            if (applied != group || _hasEndedEarly || next is null)
                return;
            group = await next;
        }
    }

    /// <returns>What was applied: the group, or its first chunks alone; null if somebody else applied them.</returns>
    private async Task<ChunkGroup?> ApplyAsync(ChunkGroup group, CancellationToken cancellationToken)
    {
        var isolate = node.Suspects.AnyOf(group.AllRecords);
        while (true)
        {
            var (message, tally) = (_message.Fork(), _tally.Fork());
            var applier = new ChunkApplier(group, message, tally, node, isolate, _untold);
            try
            {
                if (!await AttemptAsync(group, applier, cancellationToken))
                    return null;
                (_message, _tally) = (message, tally);
                return group;
            }
            catch (EndsWithinGroupException end)
            {
                // The effects of what comes after the end were rolled back with the rest.
                group = group.First(end.Chunks);
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested && node.MayBeOfARecord(exception))
            {
                var fault = node.Store.Classify(exception);
                if (fault == StoreFault.TooSlow)
                    node.Suspects.Note(applier.AtHand);
                if (!isolate)
                {
                    node.Logger.GroupIsolated(exception, group.RecordCount, group.Chunks[0].Job.Id);
                    _untold.Add(IsolatedOf(group, exception));
                    isolate = true;
                }
                else if (group.Chunks.Count > 1)
                {
                    // What comes before the fault is applied all the same, and then the fault has the next turn to itself.
                    group = group.First(Math.Max(1, applier.ReachedChunk));
                }
                else
                {
                    throw;
                }
            }
        }
    }

    private async Task<bool> AttemptAsync(ChunkGroup group, ChunkApplier applier, CancellationToken cancellationToken)
    {
        IReadOnlyList<ApiJob> jobs = [];
        try
        {
            jobs = await node.Store.ApplyAsync(lease, group.Chunks, applier.ApplyAsync, cancellationToken);
            node.Watch.Tell(jobs);
        }
        finally
        {
            // It may be committed all the same, and only the answer lost; or somebody else's are the chunks, or the end.
            if (jobs.Count == 0)
                node.Watch.Doubt(group.Chunks.Select(chunk => (chunk.Job.CompanyId, chunk.Job.Id)));
        }

        if (jobs.Count == 0)
        {
            node.Logger.GroupDropped(group.Chunks[0].Job.Id);
            return false;
        }

        foreach (var job in jobs)
        {
            if (job.HasEnded)
                node.Logger.JobEnded(job);
        }

        _hasEndedEarly = jobs[^1].HasEnded && !group.Chunks[^1].IsLast;
        _untold.Clear();
        node.Suspects.Forget(group.AllRecords);
        return true;
    }

    private JobLogEntry IsolatedOf(ChunkGroup group, Exception exception) => new(
        JobLogEvents.GroupIsolated,
        $"{(group.RecordCount == 1 ? "A record" : $"A group of {group.RecordCount} records")} from index {group.Chunks[0].Chunk.FirstRecord} on was rolled back, "
        + $"because {FaultReason.Of(exception, node.Store)}; its records were tried apart.");

    private static async Task IgnoreAsync(Task? task)
    {
        if (task is not null)
            await task.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }
}
