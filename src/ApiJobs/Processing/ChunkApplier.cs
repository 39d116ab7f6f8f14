using ApiJobs.Operations;
using ApiJobs.Records;
using ApiJobs.Storage;
using Microsoft.Extensions.Logging;

namespace ApiJobs.Processing;

/// <summary>Makes the effects of a group of chunks inside their transaction, and sees to it that a bad record fails alone.</summary>
/// <remarks>
/// The first attempt takes no savepoints: nearly every group is good, and pays nothing for those that are not. If it
/// throws, the worker rolls back and tries once more with <paramref name="isolate"/>: then groups that throw are halved
/// under savepoints until the records that cause it stand alone.
/// </remarks>
internal sealed class ChunkApplier(
    ChunkGroup group, JobMessageWriter message, ILaneStore store, bool isolate, ILogger logger)
{
    /// <summary>A record that crashes its operation this often is given up.</summary>
    public const int MaxCrashes = 3;

    public async Task<IReadOnlyList<ChunkOutcome>> ApplyAsync(IChunkTransaction transaction, CancellationToken cancellationToken)
    {
        foreach (var run in group.Runs())
        {
            var operation = group.Operations[run.Start.Value];
            var job = group.Chunks[run.Start.Value].Job;
            var context = new OperationContext(job.CompanyId, job.Options, transaction);
            var records = AcceptableRecords(run);
            if (records.Count == 0)
                continue;
            if (isolate)
                await ApplyIsolatedAsync(operation, records, context, cancellationToken);
            else
                await ApplyAllAsync(operation, records, context, cancellationToken);
        }

        return OutcomesOf();
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

    private static async Task ApplyAllAsync(
        BulkOperation operation, IReadOnlyList<JobRecord> records, OperationContext context, CancellationToken cancellationToken)
    {
        await operation.ApplyAsync(records, context, cancellationToken);
        foreach (var record in records)
        {
            if (record.Outcome == RecordOutcome.Unprocessed)
                throw new InvalidOperationException($"Operation '{operation.Type}' gave record {record.Index} of job {record.JobId} no outcome.");
        }
    }

    private async Task ApplyIsolatedAsync(
        BulkOperation operation, List<JobRecord> records, OperationContext context, CancellationToken cancellationToken)
    {
        for (var crashes = 1; ; crashes++)
        {
            try
            {
                await context.Transaction.InSavepointAsync(
                    () => ApplyAllAsync(operation, records, context, cancellationToken), cancellationToken);
                return;
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested && !store.IsTransient(exception))
            {
                foreach (var record in records)
                    record.ForgetAttempt();
                if (records.Count > 1)
                    break;
                if (store.Classify(exception) == StoreFault.Constraint)
                {
                    records[0].Fail(RecordErrorCodes.ConstraintViolation, "The record breaks a rule of the database.");
                    return;
                }

                logger.LogError(
                    exception, "{Operation} crashed on record {RecordIndex} of job {JobId}, {Crashes} of {MaxCrashes} times.",
                    operation.Type, records[0].Index, records[0].JobId, crashes, MaxCrashes);
                if (crashes == MaxCrashes)
                {
                    records[0].Fail(RecordErrorCodes.InternalError, "The record could not be processed because of an internal error.");
                    return;
                }
            }
        }

        var half = records.Count / 2;
        await ApplyIsolatedAsync(operation, records[..half], context, cancellationToken);
        await ApplyIsolatedAsync(operation, records[half..], context, cancellationToken);
    }

    private List<ChunkOutcome> OutcomesOf()
    {
        var outcomes = new List<ChunkOutcome>(group.Chunks.Count);
        for (var i = 0; i < group.Chunks.Count; i++)
        {
            var records = group.Records[i];
            var bytes = new byte[records.Count];
            List<FailedRecord> failures = [];
            message.Begin(group.Chunks[i]);
            for (var offset = 0; offset < bytes.Length; offset++)
            {
                var record = records[offset];
                bytes[offset] = (byte)record.Outcome;
                if (record.Outcome == RecordOutcome.Failed)
                    failures.Add(new(record.Index, record.Key, [.. record.Errors]));
                if (record.Outcome is RecordOutcome.Failed or RecordOutcome.Unchanged)
                    message.Add(group.Operations[i].Label, record);
            }

            var (text, entryCount) = message.End();
            outcomes.Add(new(bytes, ChunkErrors.Write(failures), text, entryCount));
        }

        return outcomes;
    }
}
