namespace ApiJobs.Storage;

/// <summary>
/// What a rehearsal remembers from chunk to chunk instead of writing it into rows, as the open transaction sees it. A store keeps notes and
/// knows nothing of what is in them.
/// </summary>
/// <remarks>
/// They commit with the cursor, so a rehearsal that breaks off goes on exactly; no other job sees them, and
/// <see cref="IUpkeep.SweepRehearsalsAsync"/> removes them once their job has ended.
/// </remarks>
public interface IRehearsalNotes
{
    /// <summary>Reads notes.</summary>
    /// <param name="companyId">The company.</param>
    /// <param name="jobId">The rehearsal.</param>
    /// <param name="kind">What the notes are about.</param>
    /// <param name="keys">Distinct keys.</param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    /// <returns>The notes that there are, by key.</returns>
    Task<Dictionary<Guid, ReadOnlyMemory<byte>>> ReadAsync(
        Guid companyId, Guid jobId, RehearsalNoteKind kind, IReadOnlyCollection<Guid> keys, CancellationToken cancellationToken);

    /// <summary>Adds notes under keys that have none.</summary>
    /// <param name="companyId">The company.</param>
    /// <param name="jobId">The rehearsal.</param>
    /// <param name="kind">What the notes are about.</param>
    /// <param name="notes">Notes of distinct keys.</param>
    /// <param name="cancellationToken">Cancels the writing.</param>
    /// <returns>The keys that have a note already; it stays as it is.</returns>
    Task<HashSet<Guid>> AddAsync(
        Guid companyId, Guid jobId, RehearsalNoteKind kind, IReadOnlyList<RehearsalNote> notes, CancellationToken cancellationToken);

    /// <summary>Writes notes, in place of those that their keys may have.</summary>
    /// <param name="companyId">The company.</param>
    /// <param name="jobId">The rehearsal.</param>
    /// <param name="kind">What the notes are about.</param>
    /// <param name="notes">Notes of distinct keys.</param>
    /// <param name="cancellationToken">Cancels the writing.</param>
    Task WriteAsync(
        Guid companyId, Guid jobId, RehearsalNoteKind kind, IReadOnlyList<RehearsalNote> notes, CancellationToken cancellationToken);
}

/// <summary>What a rehearsal's note is about; stored as a number.</summary>
public enum RehearsalNoteKind
{
    /// <summary>A row, by its id.</summary>
    Row = 0,

    /// <summary>A value of a unique field, by a digest of the two.</summary>
    Value = 1,
}

/// <summary>A note of a rehearsal.</summary>
/// <param name="Key">What it is about.</param>
/// <param name="Content">What is remembered.</param>
public readonly record struct RehearsalNote(Guid Key, ReadOnlyMemory<byte> Content);
