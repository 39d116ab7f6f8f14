using ApiJobs.Jobs;
using ApiJobs.Operations;
using ApiJobs.Records;
using ApiJobs.Storage;

namespace ApiJobs.Processing;

/// <summary>Makes the effects of a group of chunks inside their transaction, and says what became of each record.</summary>
/// <remarks>
/// The first attempt takes no savepoints: nearly every group is good, and pays nothing for those that are not. If it
/// throws, the slice tries once more with <paramref name="isolate"/> (<see cref="Isolation"/>). What came before is <paramref name="untold"/>
/// until a transaction commits: the log of the first chunk's job is told.
/// </remarks>
internal sealed class ChunkApplier(
    ChunkGroup group, JobMessageWriter message, FailureTally tally, WorkerNode node, bool isolate, IReadOnlyList<JobLogEntry> untold)
{
    /// <summary>The first chunk of the run that is being applied, or was when the attempt broke off.</summary>
    public int ReachedChunk { get; private set; }

    /// <summary>The records of the call that is being made, or was when the attempt broke off; empty between calls.</summary>
    public IReadOnlyList<JobRecord> AtHand { get; private set; } = [];

    public async Task<IReadOnlyList<ChunkOutcome>> ApplyAsync(IChunkTransaction transaction, CancellationToken cancellationToken)
    {
        foreach (var run in group.Runs())
        {
            ReachedChunk = run.Start.Value;
            var operation = group.Operations[ReachedChunk];
            var job = group.Chunks[ReachedChunk].Job;
            var context = new OperationContext(job.CompanyId, job.Options, transaction)
            {
                IsFirstOfJob = !isolate && group.Chunks[ReachedChunk].Chunk.Index == 0,
                IsLastOfJob = !isolate && group.Chunks[run.End.Value - 1].IsLast,
            };
            var records = AcceptableRecords(run);
            if (records.Count == 0)
                continue;
            if (isolate)
                await new Isolation(operation, context, node).ApplyAsync(records, cancellationToken);
            else
                await ApplyTogetherAsync(operation, records, context, cancellationToken);
        }

        return OutcomesOf();
    }

    private async Task ApplyTogetherAsync(
        BulkOperation operation, List<JobRecord> records, OperationContext context, CancellationToken cancellationToken)
    {
        AtHand = records;
        var began = node.Time.GetTimestamp();
        try
        {
            await operation.ApplyAllAsync(records, context, cancellationToken);
        }
        finally
        {
            // Also when it threw: a call that was given up because it took too long was too large.
            node.Sizes.Of(operation).Adapt(records.Count, node.Time.GetElapsedTime(began));
        }

        AtHand = [];
    }

    private List<JobRecord> AcceptableRecords(Range run)
    {
        var acceptable = new List<JobRecord>();
        foreach (var records in group.Records[run])
        {
            foreach (var record in records)
            {
                record.ForgetAttempt();
                if (record.Outcome == RecordOutcome.Unprocessed)
                    acceptable.Add(record);
            }
        }

        return acceptable;
    }

    private List<ChunkOutcome> OutcomesOf()
    {
        var outcomes = new List<ChunkOutcome>(group.Chunks.Count);
        for (var i = 0; i < group.Chunks.Count; i++)
        {
            var records = group.Records[i];
            var bytes = new byte[records.Count];
            List<FailedRecord> failures = [];
            var log = i == 0 && untold.Count > 0 ? untold.ToList() : null;
            message.Begin(group.Chunks[i]);
            for (var offset = 0; offset < bytes.Length; offset++)
            {
                var record = records[offset];
                bytes[offset] = (byte)record.Outcome;
                if (record.Outcome == RecordOutcome.Failed)
                    failures.Add(new(record.Index, record.Key, [.. record.Errors]));
                if (record.IsGivenUp && (log ??= []).Count <= JobLogEntry.MaxStored)
                    log.Add(new(JobLogEvents.RecordGivenUp, $"Record {record.Index} crashed the code that handles it, and was given up."));
                if (record.Outcome is RecordOutcome.Failed or RecordOutcome.Unchanged)
                    message.Add(group.Operations[i].Label, record);
            }

            var (text, entryCount) = message.End();
            var failure = tally.Add(group.Chunks[i], failures.Count);
            if (failure is not null && i + 1 < group.Chunks.Count && group.Chunks[i + 1].Job.Id == group.Chunks[i].Job.Id)
                throw new EndsWithinGroupException(i + 1);
            outcomes.Add(new(bytes, ChunkErrors.Write(failures), text, entryCount)
            {
                Failure = failure,
                ErrorGroups = ErrorGroup.Of(failures),
                Log = log ?? [],
            });
        }

        return outcomes;
    }
}
