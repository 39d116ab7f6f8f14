using ApiJobs.Jobs;
using ApiJobs.Operations;
using ApiJobs.Records;
using ApiJobs.Storage;
using Microsoft.Extensions.Logging;

namespace ApiJobs.Processing;

/// <summary>Consecutive chunks of a lane that are applied in one transaction, with their records prepared.</summary>
internal sealed class ChunkGroup
{
    private ChunkGroup(IReadOnlyList<PendingChunk> chunks, IReadOnlyList<JobRecord>[] records, BulkOperation[] operations)
    {
        Chunks = chunks;
        Records = records;
        Operations = operations;
    }

    public IReadOnlyList<PendingChunk> Chunks { get; }

    /// <summary>The records of each chunk.</summary>
    public IReadOnlyList<JobRecord>[] Records { get; }

    /// <summary>The operation of each chunk.</summary>
    public BulkOperation[] Operations { get; }

    public long RecordCount => Records.Sum(records => (long)records.Count);

    public IEnumerable<JobRecord> AllRecords => Records.SelectMany(records => records);

    /// <summary>Cuts the chunks into records and prepares each, away from any transaction.</summary>
    /// <param name="chunks">The chunks.</param>
    /// <param name="operations">The operation of each.</param>
    /// <param name="logger">Where crashes are told.</param>
    public static ChunkGroup Prepare(IReadOnlyList<PendingChunk> chunks, BulkOperation[] operations, ILogger logger)
    {
        var records = new IReadOnlyList<JobRecord>[chunks.Count];
        for (var i = 0; i < chunks.Count; i++)
            records[i] = Prepare(chunks[i], operations[i], logger);
        return new(chunks, records, operations);
    }

    /// <summary>The group of the first chunks alone.</summary>
    public ChunkGroup First(int count) => new([.. Chunks.Take(count)], Records[..count], Operations[..count]);

    /// <summary>
    /// Runs of neighbouring chunks with the same operation and options, as ranges: each is applied with one call, so many
    /// small jobs cost as few statements as one large one.
    /// </summary>
    public IEnumerable<Range> Runs()
    {
        var start = 0;
        for (var i = 1; i <= Chunks.Count; i++)
        {
            if (i < Chunks.Count && Operations[i] == Operations[start] && MayShareCall(Chunks[start].Job, Chunks[i].Job))
                continue;
            yield return start..i;
            start = i;
        }
    }

    // What a rehearsal has come to is nobody else's business, another rehearsal's neither.
    private static bool MayShareCall(ApiJob job, ApiJob next) => job.Options == next.Options && (!job.Options.DryRun || job.Id == next.Id);

    private static List<JobRecord> Prepare(PendingChunk pending, BulkOperation operation, ILogger logger)
    {
        var (job, chunk) = pending;
        var prepared = new List<JobRecord>(chunk.RecordCount);
        var crashes = 0;
        (Exception Fault, long Index)? first = null;
        foreach (var json in ChunkPayload.Split(chunk.Payload))
        {
            var record = new JobRecord(job.Id, chunk.FirstRecord + prepared.Count, json);
            if (operation.TryPrepare(record, job.Options) is { } fault)
            {
                crashes++;
                first ??= (fault, record.Index);
            }

            prepared.Add(record);
        }

        if (first is var (crash, index))
            logger.PreparingCrashed(crash, operation.Type, crashes, job.Id, index);
        if (prepared.Count != chunk.RecordCount)
            throw new InvalidDataException($"Chunk {chunk.Index} of job {job.Id} is damaged: it holds {prepared.Count} records, not {chunk.RecordCount}.");
        return prepared;
    }
}
