using ApiJobs.Jobs;
using ApiJobs.Operations;
using ApiJobs.Records;
using ApiJobs.Resources;

namespace ApiJobs.Crash.Tests.Nodes;

/// <summary>A declared resource's operation that writes a line for each record it effects, in the transaction of the effects.</summary>
/// <remarks>
/// A resource's rows alone cannot show that a record was applied twice: the second time changes nothing. A line more can.
/// </remarks>
internal sealed class LoggedOperation(ResourceOperation operation, string nodeName, TimeSpan delayPerChunk, int chunkRecords) : BulkOperation
{
    public override string Type { get; } = NodeProgram.TypePrefix + operation.Type;

    public override string Label => operation.Label;

    public override int MaxChunkRecords => operation.MaxChunkRecords;

    public override void Prepare(JobRecord record, JobOptions options) => operation.Prepare(record, options);

    public override async Task ApplyAsync(
        IReadOnlyList<JobRecord> records, OperationContext context, CancellationToken cancellationToken)
    {
        // Chunks that are applied together come in one call; the load's chunks are full, but for the last of a job.
        if (delayPerChunk > TimeSpan.Zero)
            await Task.Delay(delayPerChunk * ((records.Count + chunkRecords - 1) / chunkRecords), TimeProvider.System, cancellationToken);
        await operation.ApplyAsync(records, context, cancellationToken);
        await AppliedLog.AppendAsync(
            context, nodeName, records.Where(record => record.Outcome is RecordOutcome.Created or RecordOutcome.Updated), cancellationToken);
    }
}
