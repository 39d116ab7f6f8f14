using ApiJobs.Operations;
using ApiJobs.Records;
using ApiJobs.Storage;

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

    /// <summary>Cuts the chunks into records and prepares each, away from any transaction.</summary>
    /// <exception cref="UnknownOperationException">This program has no operation of a job's type.</exception>
    public static ChunkGroup Prepare(IReadOnlyList<PendingChunk> chunks, OperationCatalog catalog)
    {
        var records = new IReadOnlyList<JobRecord>[chunks.Count];
        var operations = new BulkOperation[chunks.Count];
        for (var i = 0; i < chunks.Count; i++)
        {
            var (job, chunk) = chunks[i];
            operations[i] = catalog.Find(job.Type) ?? throw new UnknownOperationException(job.Type);
            var prepared = new List<JobRecord>(chunk.RecordCount);
            foreach (var json in ChunkPayload.Split(chunk.Payload))
            {
                var record = new JobRecord(job.Id, chunk.FirstRecord + prepared.Count, json);
                operations[i].Prepare(record, job.Options);
                record.EndPreparation();
                prepared.Add(record);
            }

            if (prepared.Count != chunk.RecordCount)
                throw new InvalidDataException($"Chunk {chunk.Index} of job {job.Id} is damaged: it holds {prepared.Count} records, not {chunk.RecordCount}.");
            records[i] = prepared;
        }

        return new(chunks, records, operations);
    }

    /// <summary>
    /// Runs of neighbouring chunks with the same operation and options, as ranges: each is applied with one call, so many
    /// small jobs cost as few statements as one large one.
    /// </summary>
    public IEnumerable<Range> Runs()
    {
        var start = 0;
        for (var i = 1; i <= Chunks.Count; i++)
        {
            if (i < Chunks.Count && Operations[i] == Operations[start] && Chunks[i].Job.Options == Chunks[start].Job.Options)
                continue;
            yield return start..i;
            start = i;
        }
    }
}

/// <summary>A job waits for an operation that this program does not have: an older or newer one accepted it.</summary>
internal sealed class UnknownOperationException(string type)
    : Exception($"This program has no operation '{type}'. Its jobs wait until a program that has it serves their lane.");
