namespace ApiJobs.Records;

/// <summary>What happened to one record of a job.</summary>
/// <param name="Index">The record's zero-based index in its request.</param>
/// <param name="Key">Its key: the one sent, or the one the engine made for a new row; null if it has none.</param>
/// <param name="Outcome">What happened; <see cref="RecordOutcome.Unprocessed"/> if nothing has yet, or never will because the job failed.</param>
/// <param name="Errors">Why it was refused; empty unless it failed.</param>
/// <param name="ChunkIndex">The chunk the record is stored in, to read on from.</param>
public sealed record RecordResult(
    long Index, string? Key, RecordOutcome Outcome, IReadOnlyList<RecordError> Errors, int ChunkIndex)
{
    /// <summary>The one-based line of the request that the record began on; null in formats without lines.</summary>
    public long? Line { get; init; }

    /// <summary>The record as sent: one JSON object in UTF-8. A row of CSV is the object that was made of it.</summary>
    public ReadOnlyMemory<byte> Json { get; init; }
}
