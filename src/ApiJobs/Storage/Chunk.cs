namespace ApiJobs.Storage;

/// <summary>Consecutive records of one job, stored together and applied in one transaction.</summary>
/// <param name="Index">The chunk's number in its job, from 0.</param>
/// <param name="FirstRecord">The zero-based index, in the request, of the chunk's first record.</param>
/// <param name="RecordCount">How many records the chunk holds; at least 1.</param>
/// <param name="Payload">The records, laid out as <see cref="Records.ChunkPayload"/> says.</param>
public sealed record Chunk(int Index, long FirstRecord, int RecordCount, ReadOnlyMemory<byte> Payload);

/// <summary>A chunk that waits to be applied, with the job it belongs to as it was when read.</summary>
/// <param name="Job">The job. Its counts are those before this chunk, or older.</param>
/// <param name="Chunk">The chunk.</param>
public sealed record PendingChunk(Jobs.ApiJob Job, Chunk Chunk)
{
    /// <summary>Whether this chunk is its job's last, so that applying it ends the job.</summary>
    public bool IsLast => Chunk.Index == Job.ChunkCount - 1;
}

/// <summary>What applying a chunk gave; written in the transaction of the effects.</summary>
/// <param name="Outcomes">One byte a record, in input order: <see cref="Records.RecordOutcome"/>.</param>
/// <param name="Errors">The failed records' errors as <see cref="Records.ChunkErrors"/> writes them; empty when no record failed.</param>
/// <param name="MessageText">What the chunk adds to the job's message; empty for nothing.</param>
/// <param name="MessageEntryCount">How many entries <paramref name="MessageText"/> holds.</param>
public sealed record ChunkOutcome(
    ReadOnlyMemory<byte> Outcomes, ReadOnlyMemory<byte> Errors, string MessageText, int MessageEntryCount)
{
    /// <summary>Why the job ends with this chunk although more may follow; null to go on. A store ends it in the same transaction.</summary>
    public Jobs.JobFailure? Failure { get; init; }

    /// <summary>What kinds of errors the chunk's records have, each once; empty when no record failed. They are added to the job's.</summary>
    public IReadOnlyList<Records.ErrorGroup> ErrorGroups { get; init; } = [];

    /// <summary>What the job's log is told of this chunk; stored in the same transaction. Empty for an ordinary one.</summary>
    public IReadOnlyList<Jobs.JobLogEntry> Log { get; init; } = [];

    /// <summary>How many records had each outcome.</summary>
    public Jobs.OutcomeCounts Counts { get; } = Jobs.OutcomeCounts.Of(Outcomes.Span);

    /// <summary>The length of <see cref="MessageText"/> in UTF-8.</summary>
    public int MessageBytes { get; } = System.Text.Encoding.UTF8.GetByteCount(MessageText);
}

/// <summary>A stored chunk and, if it was applied, what happened to its records.</summary>
/// <param name="Chunk">The chunk as it was accepted.</param>
/// <param name="Outcomes">One byte a record; empty if the chunk was not applied.</param>
/// <param name="Errors">The failed records' errors as <see cref="Records.ChunkErrors"/> writes them; empty when there are none.</param>
public sealed record ChunkResult(Chunk Chunk, ReadOnlyMemory<byte> Outcomes, ReadOnlyMemory<byte> Errors);
