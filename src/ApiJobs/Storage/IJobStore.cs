using ApiJobs.Jobs;

namespace ApiJobs.Storage;

/// <summary>What the endpoints need of a store, through the engine: accepting requests as jobs, and asking what became of them.</summary>
/// <remarks>
/// <para>A store is made of parts, one interface for each kind of caller: this one, <see cref="ILaneStore"/> for workers,
/// <see cref="IUpkeep"/> for the process, <see cref="IResourceStore"/> for readers of resources. What a store is, its
/// conformance suite says (<c>tests/ApiJobs.Stores.Tests</c>); both stores pass the same one.</para>
/// <para>Every method of every part may throw <see cref="StoreUnavailableException"/> when the database cannot serve now
/// (locked, full, away): nothing was written then, or nothing of it is known to be written, and the same call may be made again.</para>
/// <para>The times of jobs are the store's: read off one clock for all nodes, and never before a time that the job has already.</para>
/// </remarks>
public interface IJobStore
{
    // Accepting: chunks are appended while a large request uploads, and no job is visible until it is sealed.

    /// <summary>Stores the next chunk of a request that is still uploading. The first one begins the upload.</summary>
    /// <remarks>May be called again with the same chunk when the answer was lost; it is stored once.</remarks>
    /// <returns><see langword="false"/> if the upload was swept away meanwhile; nothing was written.</returns>
    /// <exception cref="InvalidOperationException">The chunk is not the upload's next: a fault of the caller that would lose records. Nothing was written.</exception>
    Task<bool> AppendChunkAsync(Guid companyId, Guid jobId, Chunk chunk, CancellationToken cancellationToken);

    /// <summary>Stores the last chunk and makes the job visible at the end of its lane, in one durable transaction.</summary>
    /// <remarks>May be called again with the same job when the answer was lost; it is made once.</remarks>
    /// <exception cref="InvalidOperationException">The chunk is not the upload's next: a fault of the caller that would lose records. Nothing was written.</exception>
    Task<SealResult> SealJobAsync(NewJob job, Chunk lastChunk, CancellationToken cancellationToken);

    /// <summary>Removes what an unsealed upload left. Nothing happens if the job is sealed or unknown.</summary>
    Task AbandonUploadAsync(Guid companyId, Guid jobId, CancellationToken cancellationToken);

    /// <summary>Looks up which job a client's idempotency key stands for.</summary>
    /// <param name="companyId">The company.</param>
    /// <param name="clientId">The client; null if callers are not told apart.</param>
    /// <param name="key">The key as the client sent it.</param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    /// <returns>The job and the fingerprint of the request that the key was used for; null if the client has not used the key, or its job was removed.</returns>
    Task<KeyHolder?> FindKeyAsync(Guid companyId, string? clientId, string key, CancellationToken cancellationToken);

    // Asking.

    /// <summary>Reads a job of a company.</summary>
    /// <returns>The job, or null if the company has none of that id (another's job is not told apart from none).</returns>
    Task<ApiJob?> FindJobAsync(Guid companyId, Guid jobId, CancellationToken cancellationToken);

    /// <summary>Reads the entries of a job's message that the chunks before <paramref name="beforeChunk"/> added.</summary>
    /// <param name="companyId">The company.</param>
    /// <param name="jobId">The job.</param>
    /// <param name="beforeChunk">The job's <see cref="ApiJob.NextChunk"/>: so the text is of the same moment as the job, however far it is by now.</param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    /// <returns>Whole entries in input order, joined by nothing; empty if there are none.</returns>
    Task<string> ReadMessageAsync(Guid companyId, Guid jobId, int beforeChunk, CancellationToken cancellationToken);

    /// <summary>Reads a job's chunks with their results, in order, from <paramref name="fromChunk"/> on.</summary>
    /// <returns>At most <paramref name="maxChunks"/> chunks; empty past the end, or if the company has no such sealed job.</returns>
    Task<IReadOnlyList<ChunkResult>> ReadResultsAsync(
        Guid companyId, Guid jobId, int fromChunk, int maxChunks, CancellationToken cancellationToken);

    /// <summary>Reads the kinds of errors that a job's records have so far (<see cref="ChunkOutcome.ErrorGroups"/>).</summary>
    /// <returns>The most frequent first, then by the first record; at most <see cref="Records.ErrorGroup.MaxPerJob"/>. Empty if the company has no such job.</returns>
    Task<IReadOnlyList<Records.ErrorGroup>> ReadErrorsAsync(Guid companyId, Guid jobId, CancellationToken cancellationToken);

    /// <summary>Lists jobs of a company, newest first.</summary>
    /// <remarks>
    /// Looks at no more than <see cref="JobPage.MaxLookedAt"/> jobs, so a page costs the same however many jobs there are; it may have fewer
    /// jobs than asked for, and still a next place. Jobs that are sealed between two pages come before both.
    /// </remarks>
    Task<JobPage> ListJobsAsync(Guid companyId, JobQuery query, CancellationToken cancellationToken);

    /// <summary>Says how many unfinished jobs of their lanes come before each of some unfinished jobs.</summary>
    /// <param name="companyId">The company.</param>
    /// <param name="unfinished">Jobs of the company that had not ended when they were read.</param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    /// <returns>A number for each job, in their order: 0 for a lane's first. Far back (<see cref="LanePlaces.MaxCounted"/>) jobs that ended otherwise than in their turn may be among those counted.</returns>
    Task<IReadOnlyList<long>> CountJobsBeforeAsync(Guid companyId, IReadOnlyList<ApiJob> unfinished, CancellationToken cancellationToken);

    /// <summary>Reads what was stored of a job because it was out of the ordinary, in the order in which it happened.</summary>
    /// <returns>At most <see cref="JobLogEntry.MaxShown"/> lines; none for most jobs, and if the company has no such job.</returns>
    Task<IReadOnlyList<JobLogLine>> ReadLogAsync(Guid companyId, Guid jobId, CancellationToken cancellationToken);

    /// <summary>Reads which jobs go on from some jobs as their <see cref="NewJob.Descent"/> says.</summary>
    /// <returns>At most one of each kind for each job, by job and kind; none where nothing goes on, or the company has no such job.</returns>
    Task<IReadOnlyList<JobChild>> FindChildrenAsync(Guid companyId, IReadOnlyCollection<Guid> parentIds, CancellationToken cancellationToken);

    // Watching.

    /// <summary>Whether other processes may change the store's jobs.</summary>
    bool IsShared { get; }

    /// <summary>Reads those of some jobs that have changed since they were seen: further chunks were applied, or they have ended.</summary>
    /// <remarks>For all who wait on a node at once; the jobs may be of any companies.</remarks>
    /// <param name="seen">The jobs, unfinished when they were seen, and how far they were.</param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    /// <returns>The changed jobs as they are now, in no order. Of a job that is gone, nothing is said.</returns>
    Task<IReadOnlyList<ApiJob>> ReadChangedAsync(IReadOnlyCollection<SeenJob> seen, CancellationToken cancellationToken);

    /// <summary>Reads what waits: of a company, or of all together.</summary>
    /// <remarks>Exact as of one moment. It costs a look at the lanes of the company, or at those of all companies that have work.</remarks>
    /// <param name="companyId">The company; null for all.</param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    Task<Backlog> ReadBacklogAsync(Guid? companyId, CancellationToken cancellationToken);

    // Ending otherwise than by the last chunk.

    /// <summary>Ends a job as failed, in one durable transaction: the records without an outcome stay unprocessed, and the lane goes on with the next job.</summary>
    /// <remarks>A chunk that is being applied meanwhile is either applied before the end, or rolled back. May be called again when the answer was lost.</remarks>
    /// <param name="companyId">The company.</param>
    /// <param name="jobId">The job.</param>
    /// <param name="failure">Why it cannot run to its end.</param>
    /// <param name="cancellationToken">Cancels before the commit.</param>
    Task<EndResult> EndJobAsync(Guid companyId, Guid jobId, JobFailure failure, CancellationToken cancellationToken) =>
        EndJobAsync(companyId, jobId, failure, request: null, cancellationToken);

    /// <inheritdoc cref="EndJobAsync(Guid, Guid, JobFailure, CancellationToken)"/>
    /// <param name="companyId">The company.</param>
    /// <param name="jobId">The job.</param>
    /// <param name="failure">Why it cannot run to its end.</param>
    /// <param name="request">The request that asks for it, if it may be sent again: its key is kept for the job in the same transaction. Null keeps nothing.</param>
    /// <param name="cancellationToken">Cancels before the commit.</param>
    Task<EndResult> EndJobAsync(Guid companyId, Guid jobId, JobFailure failure, KeyedRequest? request, CancellationToken cancellationToken);
}

/// <summary>How far an unfinished job was when somebody saw it.</summary>
/// <param name="CompanyId">The company.</param>
/// <param name="JobId">The job.</param>
/// <param name="NextChunk">Its <see cref="ApiJob.NextChunk"/>.</param>
public readonly record struct SeenJob(Guid CompanyId, Guid JobId, int NextChunk);

/// <summary>What became of sealing a job.</summary>
public abstract record SealResult
{
    private SealResult() { }

    /// <summary>The job is made, by this call or by the same one before.</summary>
    /// <param name="Job">The job; pending if this call made it.</param>
    public sealed record Sealed(ApiJob Job) : SealResult;

    /// <summary>The upload stood still for so long that it was removed. Nothing was written.</summary>
    public sealed record Swept : SealResult;

    /// <summary>The client used the idempotency key for another job already. Nothing was written; what was uploaded is still there, to be abandoned.</summary>
    /// <param name="JobId">That job.</param>
    /// <param name="Fingerprint">The <see cref="NewJob.Fingerprint"/> that it was sealed with.</param>
    public sealed record KeyTaken(Guid JobId, ReadOnlyMemory<byte> Fingerprint) : SealResult;

    /// <summary>Another job goes on from the parent in the same way already (<see cref="NewJob.Descent"/>). Nothing was written; what was uploaded is still there, to be abandoned.</summary>
    /// <param name="ChildId">That job.</param>
    public sealed record ParentTaken(Guid ChildId) : SealResult;
}

/// <summary>What became of ending a job.</summary>
public enum EndResult
{
    /// <summary>The job has ended by this call.</summary>
    Ended,

    /// <summary>It had ended before; nothing was written.</summary>
    HadEnded,

    /// <summary>The company has no such job; nothing was written.</summary>
    Unknown,

    /// <summary>The client has used the request's idempotency key before; nothing was written.</summary>
    KeyTaken,
}

/// <summary>What a client's idempotency key stands for.</summary>
/// <param name="JobId">The job that the request made or changed.</param>
/// <param name="Fingerprint">What tells the request from another one under the same key.</param>
public sealed record KeyHolder(Guid JobId, ReadOnlyMemory<byte> Fingerprint);

/// <summary>A request that its client may send again under the same key.</summary>
/// <param name="ClientId">The client; null if callers are not told apart.</param>
/// <param name="Key">Its key.</param>
/// <param name="Fingerprint">What tells the request from another one under the same key.</param>
public sealed record KeyedRequest(string? ClientId, string Key, ReadOnlyMemory<byte> Fingerprint);

/// <summary>A job that goes on from another one.</summary>
/// <param name="ParentId">The one it goes on from.</param>
/// <param name="Descent">How.</param>
/// <param name="JobId">The job.</param>
public sealed record JobChild(Guid ParentId, JobDescent Descent, Guid JobId);

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

    /// <summary>Who asked, and how.</summary>
    public JobOrigin Origin { get; init; } = JobOrigin.Unknown;

    /// <summary>What tells the request from another one under the same <see cref="JobOrigin.IdempotencyKey"/>; empty without a key.</summary>
    public ReadOnlyMemory<byte> Fingerprint { get; init; }

    /// <summary>The number of records in all chunks; a store refuses to seal any other number.</summary>
    public required long TotalRecords { get; init; }

    /// <summary>What all chunks' payloads take, in bytes.</summary>
    public long TotalBytes { get; init; }

    /// <summary>How many records may fail before the job is given up; null for any number.</summary>
    public long? MaxFailed { get; init; }

    /// <summary>How the job goes on from its <see cref="JobOrigin.ParentId"/>, if no second job may do so in the same way; null for no such claim.</summary>
    public JobDescent? Descent { get; init; }
}
