using ApiJobs.Storage;

namespace ApiJobs.PostgreSql.Accepting;

/// <summary>A chunk that waits to be stored: the last one of a job to seal, or one of an upload that goes on.</summary>
/// <param name="CompanyId">The company.</param>
/// <param name="JobId">The job, sealed or to be.</param>
/// <param name="Chunk">The chunk. Its memory is the caller's until the acceptance is settled.</param>
/// <param name="Job">The job to seal with the chunk; null to append it to an upload.</param>
internal sealed record Acceptance(Guid CompanyId, Guid JobId, Chunk Chunk, NewJob? Job)
{
    // Continuations run elsewhere: the writer that settles a group must not run its callers' code.
    private readonly TaskCompletionSource<AcceptResult> _settled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _taken;

    internal Task<AcceptResult> Settled => _settled.Task;

    /// <summary>Decides, once, between the writer that wants to store the chunk and the caller that wants to give up.</summary>
    internal bool TryTake() => Interlocked.Exchange(ref _taken, 1) == 0;

    internal void Settle(AcceptResult result) => _settled.TrySetResult(result);

    internal void Fail(Exception exception) => _settled.TrySetException(exception);
}

/// <summary>What became of an acceptance.</summary>
internal abstract record AcceptResult
{
    private AcceptResult() { }

    /// <summary>The chunk is stored, by this acceptance or by the same one before.</summary>
    internal sealed record Appended : AcceptResult;

    /// <summary>The job is sealed by this acceptance.</summary>
    internal sealed record Sealed(long Position, DateTimeOffset CreatedAt) : AcceptResult;

    /// <summary>Nothing was written: the job is sealed already.</summary>
    internal sealed record WasSealed : AcceptResult;

    /// <summary>Nothing was written: another job of the client's has the idempotency key.</summary>
    internal sealed record KeyTaken(Guid JobId, byte[] Fingerprint) : AcceptResult;

    /// <summary>Nothing was written: another job goes on from the parent in the same way.</summary>
    internal sealed record ParentTaken(Guid ChildId) : AcceptResult;

    /// <summary>Nothing was written: the job that had the key, or went on from the parent, was removed meanwhile. The next attempt gets them.</summary>
    internal sealed record ClaimGone : AcceptResult;

    /// <summary>Nothing was written: there is no such upload.</summary>
    internal sealed record Swept : AcceptResult;

    /// <summary>Nothing was written: the chunk is not the upload's next.</summary>
    internal sealed record OutOfOrder : AcceptResult;

    /// <summary>Nothing was written: the upload and its last chunk hold another number of records than was said.</summary>
    internal sealed record Miscounted : AcceptResult;
}
