using ApiJobs.Jobs;

namespace ApiJobs.Storage;

/// <summary>Durable state of API jobs: what the engine needs, and all it needs, of a database.</summary>
/// <remarks>
/// <para>What a store is, its conformance suite says (<c>tests/ApiJobs.Stores.Tests</c>); both stores pass the same one.</para>
/// <para>Every method may throw <see cref="StoreUnavailableException"/> when the database cannot serve now (locked, full,
/// away): nothing was written then, or nothing of it is known to be written, and the same call may be made again.</para>
/// </remarks>
public interface IJobStore
{
    /// <summary>Makes or upgrades the schema, the declared resources' tables among it.</summary>
    /// <exception cref="SchemaTooNewException">The database was upgraded by a newer program.</exception>
    Task InitializeAsync(CancellationToken cancellationToken);

    /// <summary>Succeeds when the database answers.</summary>
    Task PingAsync(CancellationToken cancellationToken);

    // Accepting: chunks are appended while a large request uploads, and no job is visible until it is sealed.

    /// <summary>Stores a chunk of a request that is still uploading. The first one begins the upload.</summary>
    /// <remarks>May be called again with the same chunk when the answer was lost; it is stored once.</remarks>
    /// <returns><see langword="false"/> if the upload was swept away meanwhile; nothing was written.</returns>
    Task<bool> AppendChunkAsync(Guid companyId, Guid jobId, Chunk chunk, CancellationToken cancellationToken);

    /// <summary>Stores the last chunk and makes the job visible at the end of its lane, in one durable transaction.</summary>
    /// <remarks>May be called again with the same job when the answer was lost; it is made once.</remarks>
    /// <returns>The pending job, or null if its upload was swept away meanwhile; nothing was written then.</returns>
    Task<ApiJob?> SealJobAsync(NewJob job, Chunk lastChunk, CancellationToken cancellationToken);

    /// <summary>Removes what an unsealed upload left. Nothing happens if the job is sealed or unknown.</summary>
    Task AbandonUploadAsync(Guid companyId, Guid jobId, CancellationToken cancellationToken);

    /// <summary>Removes uploads to which nothing was appended for <paramref name="idleFor"/>, by the store's clock.</summary>
    /// <returns>How many uploads were removed.</returns>
    Task<int> SweepUploadsAsync(TimeSpan idleFor, CancellationToken cancellationToken);

    // Asking.

    /// <summary>Reads a job of a company.</summary>
    /// <returns>The job, or null if the company has none of that id (another's job is not told apart from none).</returns>
    Task<ApiJob?> FindJobAsync(Guid companyId, Guid jobId, CancellationToken cancellationToken);

    /// <summary>Reads a job's chunks with their results, in order, from <paramref name="fromChunk"/> on.</summary>
    /// <returns>At most <paramref name="maxChunks"/> chunks; empty past the end, or if the company has no such sealed job.</returns>
    Task<IReadOnlyList<ChunkResult>> ReadResultsAsync(
        Guid companyId, Guid jobId, int fromChunk, int maxChunks, CancellationToken cancellationToken);

    // Lanes.

    /// <summary>Claims the lane with work that was served least recently and that nobody holds a live lease on.</summary>
    /// <returns>
    /// The lease, or null when no lane can be claimed now. The lane may turn out to be empty, if its last holder died after
    /// draining it.
    /// </returns>
    Task<LaneLease?> ClaimLaneAsync(TimeSpan leaseFor, CancellationToken cancellationToken);

    /// <summary>Prolongs a lease to <paramref name="leaseFor"/> from now, by the store's clock.</summary>
    /// <returns><see langword="false"/> if the lane has been claimed by somebody else since; the holder must stop.</returns>
    Task<bool> RenewLeaseAsync(LaneLease lease, TimeSpan leaseFor, CancellationToken cancellationToken);

    /// <summary>Gives the lane back, as served now. Nothing happens if the lease was lost.</summary>
    Task ReleaseLaneAsync(LaneLease lease, CancellationToken cancellationToken);

    /// <summary>Says whether some lane has work that no live lease covers: then a worker at the end of its slice gives way.</summary>
    Task<bool> IsLaneWaitingAsync(CancellationToken cancellationToken);

    /// <summary>Waits until a lane may have got work, or for <paramref name="atMost"/>. May return early for no reason; work that is there already ends it at once.</summary>
    Task WaitForWorkAsync(TimeSpan atMost, CancellationToken cancellationToken);

    // Working.

    /// <summary>Reads the chunks that are to be applied next in a lane, over the ends of jobs, in order.</summary>
    /// <param name="lease">The lane.</param>
    /// <param name="after">The chunk to read on from; null reads from the cursor of the lane's first unfinished job.</param>
    /// <param name="maxRecords">Stop before a chunk that would bring the records read to more than this; the first chunk is always read.</param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    /// <returns>Consecutive chunks; empty when the lane has no more.</returns>
    Task<IReadOnlyList<PendingChunk>> ReadAheadAsync(
        LaneLease lease, PendingChunk? after, int maxRecords, CancellationToken cancellationToken);

    /// <summary>
    /// In one transaction: moves the jobs' cursors past <paramref name="chunks"/>, lets <paramref name="apply"/> make the
    /// effects, stores the outcomes, counts and message entries, and ends each job whose last chunk is among them.
    /// </summary>
    /// <param name="lease">The lane the chunks belong to.</param>
    /// <param name="chunks">Consecutive chunks, as <see cref="ReadAheadAsync"/> gave them.</param>
    /// <param name="apply">Makes the effects and returns one outcome a chunk, of as many records; anything else is refused as a bug. If it throws, everything is rolled back and the exception goes on to the caller.</param>
    /// <param name="startedAt">When work on the chunks began; the start time of a job whose first chunk is among them.</param>
    /// <param name="cancellationToken">Cancels before the commit; the commit itself is not interrupted.</param>
    /// <returns><see langword="false"/> if a cursor was not where the chunks expect it: somebody else applied them, or the job has ended. Nothing was written, and <paramref name="apply"/> was not called.</returns>
    Task<bool> ApplyAsync(
        LaneLease lease, IReadOnlyList<PendingChunk> chunks, ApplyChunks apply, DateTimeOffset startedAt,
        CancellationToken cancellationToken);

    // Keeping.

    /// <summary>Reads the companies that have ever had a job, in the order of their ids.</summary>
    /// <param name="after">The last one read before; null begins with the first.</param>
    /// <param name="max">The most to read.</param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    Task<IReadOnlyList<Guid>> ReadCompaniesAsync(Guid? after, int max, CancellationToken cancellationToken);

    /// <summary>Removes a little of what a company's jobs that ended before a time have left, in one short transaction.</summary>
    /// <remarks>What has not ended is never touched. Jobs go after their records, so that one that is there without records has been here.</remarks>
    /// <param name="companyId">The company.</param>
    /// <param name="endedBefore">The time, by the clock that jobs' ends were taken from.</param>
    /// <param name="part">What to remove of them.</param>
    /// <param name="cancellationToken">Cancels before the commit.</param>
    /// <returns>Whether something was removed; then there may be more, and the call is to be made again.</returns>
    Task<bool> RemoveEndedAsync(Guid companyId, DateTimeOffset endedBefore, EndedPart part, CancellationToken cancellationToken);

    /// <summary>Says what an exception from <see cref="ApplyAsync"/>'s effects means, also when others wrap the database's.</summary>
    StoreFault Classify(Exception exception);
}

/// <summary>Makes the effects of some chunks inside their transaction.</summary>
/// <returns>One outcome for each chunk, in their order.</returns>
public delegate Task<IReadOnlyList<ChunkOutcome>> ApplyChunks(IChunkTransaction transaction, CancellationToken cancellationToken);

/// <summary>What is removed of an ended job.</summary>
public enum EndedPart
{
    /// <summary>Its records, and what happened to each.</summary>
    Records,

    /// <summary>All of it.</summary>
    Jobs,
}

/// <summary>What an exception out of a chunk's transaction means to the worker.</summary>
public enum StoreFault
{
    /// <summary>Not the database's: a fault of the code that handled a record.</summary>
    None,

    /// <summary>The database will take the same statements later: deadlock, lost connection, disk full, locked.</summary>
    Transient,

    /// <summary>A row broke a rule of the schema: unique, check, foreign key, not null, too long.</summary>
    Constraint,
}

/// <summary>A bulk request whose records have all arrived.</summary>
public sealed record NewJob
{
    /// <summary>The job's id, a UUID v7.</summary>
    public required Guid Id { get; init; }

    /// <summary>The company that owns it.</summary>
    public required Guid CompanyId { get; init; }

    /// <summary>The job's type.</summary>
    public required string Type { get; init; }

    /// <summary>The lane to queue in; empty is the company's main lane.</summary>
    public string Lane { get; init; } = "";

    /// <summary>What the request asked for beyond its type.</summary>
    public JobOptions Options { get; init; } = JobOptions.None;

    /// <summary>The number of records in all chunks.</summary>
    public required long TotalRecords { get; init; }

    /// <summary>When the request was accepted, UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
}
