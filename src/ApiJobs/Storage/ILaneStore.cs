using ApiJobs.Jobs;

namespace ApiJobs.Storage;

/// <summary>What workers need of a store: lanes to serve, and a transaction that moves cursors together with the effects.</summary>
public interface ILaneStore
{
    /// <summary>Claims the lane with work whose turn it is, that nobody holds a live lease on and that no fault keeps back.</summary>
    /// <remarks>
    /// That is the one served least recently; one that was given back after a part of its turn (<see cref="LaneLease.TurnUsed"/>) has its next
    /// one after that part of a round. The turn counts from here, as a whole one, so that a lane whose worker dies goes to the back like any other.
    /// </remarks>
    /// <param name="node">Who claims, for operators: the process.</param>
    /// <param name="leaseFor">How long the lease lasts unless renewed, by the store's clock; at most <see cref="LaneLease.Longest"/>.</param>
    /// <param name="cancellationToken">Cancels the claim.</param>
    /// <returns>
    /// The lease, or null when no lane can be claimed now. The lane may turn out to be empty, if its last holder died after
    /// draining it.
    /// </returns>
    Task<LaneLease?> ClaimLaneAsync(string node, TimeSpan leaseFor, CancellationToken cancellationToken);

    /// <summary>Prolongs a lease to <paramref name="leaseFor"/> from now, by the store's clock.</summary>
    /// <returns><see langword="false"/> if the lane has been claimed by somebody else since; the holder must stop.</returns>
    Task<bool> RenewLeaseAsync(LaneLease lease, TimeSpan leaseFor, CancellationToken cancellationToken);

    /// <summary>Gives the lane back. Nothing happens if the lease was lost.</summary>
    /// <param name="lease">The lease.</param>
    /// <param name="fault">Why the lane cannot go on now: it is not claimed again before the pause is over, and the fault is kept with it. Null for a lane that is well: its faults are forgotten.</param>
    /// <param name="cancellationToken">Cancels the release.</param>
    Task ReleaseLaneAsync(LaneLease lease, LaneFault? fault, CancellationToken cancellationToken);

    /// <summary>Says whether some lane could be claimed: then a worker at the end of its slice gives way.</summary>
    /// <remarks>A lane that can be claimed only because its lease or its pause has run out may be told of up to a second late.</remarks>
    Task<bool> IsLaneWaitingAsync(CancellationToken cancellationToken);

    /// <summary>Waits until a lane may have got work, or for <paramref name="atMost"/>. May return early for no reason; work that is there already ends it at once.</summary>
    Task WaitForWorkAsync(TimeSpan atMost, CancellationToken cancellationToken);

    /// <summary>Reads the chunks that are to be applied next in a lane, over the ends of jobs, in order. Writes nothing.</summary>
    /// <param name="lease">The lane.</param>
    /// <param name="after">The chunk to read on from; null reads from the cursor of the lane's first unfinished job.</param>
    /// <param name="maxRecords">Stop before a chunk that would bring the records read to more than this; the first chunk is always read.</param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    /// <returns>Consecutive chunks; empty when the lane has no more.</returns>
    Task<IReadOnlyList<PendingChunk>> ReadAheadAsync(
        LaneLease lease, PendingChunk? after, int maxRecords, CancellationToken cancellationToken);

    /// <summary>
    /// In one durable transaction: moves the jobs' cursors past <paramref name="chunks"/>, lets <paramref name="apply"/> make the
    /// effects, stores the outcomes, counts and message entries, and ends each job whose last chunk is among them.
    /// </summary>
    /// <param name="lease">The lane the chunks belong to.</param>
    /// <param name="chunks">Consecutive chunks, at least one, as <see cref="ReadAheadAsync"/> gave them.</param>
    /// <param name="apply">Makes the effects and returns one outcome a chunk, of as many records; anything else is refused as a bug. If it throws, everything is rolled back and the exception goes on to the caller.</param>
    /// <param name="cancellationToken">Cancels before the commit; the commit itself is not interrupted.</param>
    /// <returns>The jobs as they are since, in order; empty if a cursor was not where the chunks expect it: somebody else applied them, or the job has ended. Nothing was written then, and <paramref name="apply"/> was not called.</returns>
    Task<IReadOnlyList<ApiJob>> ApplyAsync(
        LaneLease lease, IReadOnlyList<PendingChunk> chunks, ApplyChunks apply, CancellationToken cancellationToken);

    /// <summary>Says what an exception from <see cref="ApplyAsync"/>'s effects means, also when others wrap the database's.</summary>
    StoreFault Classify(Exception exception);
}

/// <summary>Makes the effects of some chunks inside their transaction.</summary>
/// <returns>One outcome for each chunk, in their order.</returns>
public delegate Task<IReadOnlyList<ChunkOutcome>> ApplyChunks(IChunkTransaction transaction, CancellationToken cancellationToken);

/// <summary>What an exception out of a chunk's transaction means to the worker.</summary>
public enum StoreFault
{
    /// <summary>Not the database's: a fault of the code that handled a record.</summary>
    None,

    /// <summary>The database will take the same statements later: deadlock, lost connection, disk full, locked.</summary>
    Transient,

    /// <summary>A row broke a rule of the schema: unique, check, foreign key, not null, too long, a policy on rows.</summary>
    Constraint,

    /// <summary>The database lacks what the program expects, or is damaged: a table, a column, a right. No record is at fault; jobs wait until it is mended.</summary>
    Deployment,

    /// <summary>The database gave the transaction up because it took too long, and would again: fewer records must be tried, down to one.</summary>
    TooSlow,
}
