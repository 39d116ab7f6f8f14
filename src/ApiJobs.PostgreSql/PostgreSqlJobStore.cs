using ApiJobs.Jobs;
using ApiJobs.PostgreSql.Accepting;
using ApiJobs.PostgreSql.Applying;
using ApiJobs.PostgreSql.Asking;
using ApiJobs.PostgreSql.Session;
using ApiJobs.Records;
using ApiJobs.Storage;

namespace ApiJobs.PostgreSql;

/// <summary>What the endpoints need of the store: accepting, asking and ending.</summary>
internal sealed class PostgreSqlJobStore(
    AcceptQueue accepting, UploadRemoval uploads, JobReading reading, JobListing listing, ChangedJobs changes, JobEnding ending) : IJobStore
{
    public async Task<bool> AppendChunkAsync(Guid companyId, Guid jobId, Chunk chunk, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(chunk);
        return await AcceptAsync(new(companyId, jobId, chunk, Job: null), cancellationToken) switch
        {
            AcceptResult.OutOfOrder => throw OutOfOrder(jobId, chunk.Index),
            var result => result is not AcceptResult.Swept,
        };
    }

    public async Task<SealResult> SealJobAsync(NewJob job, Chunk lastChunk, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(job);
        ArgumentNullException.ThrowIfNull(lastChunk);
        if (lastChunk.Index == 0 && lastChunk.RecordCount != job.TotalRecords)
            throw Miscounted(job);
        AcceptResult result;
        do
        {
            result = await AcceptAsync(new(job.CompanyId, job.Id, lastChunk, job), cancellationToken);
        }
        while (result is AcceptResult.ClaimGone);
        return result switch
        {
            AcceptResult.Sealed made => new SealResult.Sealed(NewlySealed(job, lastChunk, made)),
            AcceptResult.KeyTaken taken => new SealResult.KeyTaken(taken.JobId, taken.Fingerprint),
            AcceptResult.ParentTaken taken => new SealResult.ParentTaken(taken.ChildId),
            AcceptResult.OutOfOrder => throw OutOfOrder(job.Id, lastChunk.Index),
            AcceptResult.Miscounted => throw Miscounted(job),
            // An earlier call sealed it, and its answer was lost; or retention was faster. Not cancellable, like the writing before it.
            AcceptResult.WasSealed when await reading.FindAsync(job.CompanyId, job.Id, CancellationToken.None) is { } earlier =>
                new SealResult.Sealed(earlier),
            _ => new SealResult.Swept(),
        };
    }

    public Task AbandonUploadAsync(Guid companyId, Guid jobId, CancellationToken cancellationToken) =>
        uploads.RemoveAsync(companyId, jobId, idleFor: null, cancellationToken);

    public Task<KeyHolder?> FindKeyAsync(Guid companyId, string? clientId, string key, CancellationToken cancellationToken) =>
        reading.FindKeyAsync(companyId, clientId, key, cancellationToken);

    public Task<ApiJob?> FindJobAsync(Guid companyId, Guid jobId, CancellationToken cancellationToken) =>
        reading.FindAsync(companyId, jobId, cancellationToken);

    public Task<string> ReadMessageAsync(Guid companyId, Guid jobId, int beforeChunk, CancellationToken cancellationToken) =>
        reading.ReadMessageAsync(companyId, jobId, beforeChunk, cancellationToken);

    public Task<IReadOnlyList<ChunkResult>> ReadResultsAsync(
        Guid companyId, Guid jobId, int fromChunk, int maxChunks, CancellationToken cancellationToken) =>
        reading.ReadResultsAsync(companyId, jobId, fromChunk, maxChunks, cancellationToken);

    public Task<IReadOnlyList<ErrorGroup>> ReadErrorsAsync(Guid companyId, Guid jobId, CancellationToken cancellationToken) =>
        reading.ReadErrorsAsync(companyId, jobId, cancellationToken);

    public Task<JobPage> ListJobsAsync(Guid companyId, JobQuery query, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        return listing.ListAsync(companyId, query, cancellationToken);
    }

    public Task<IReadOnlyList<long>> CountJobsBeforeAsync(Guid companyId, IReadOnlyList<ApiJob> unfinished, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(unfinished);
        return listing.CountBeforeAsync(companyId, unfinished, cancellationToken);
    }

    public Task<IReadOnlyList<JobLogLine>> ReadLogAsync(Guid companyId, Guid jobId, CancellationToken cancellationToken) =>
        reading.ReadLogAsync(companyId, jobId, cancellationToken);

    public Task<Backlog> ReadBacklogAsync(Guid? companyId, CancellationToken cancellationToken) =>
        reading.ReadBacklogAsync(companyId, cancellationToken);

    public bool IsShared => true;

    public Task<IReadOnlyList<ApiJob>> ReadChangedAsync(IReadOnlyCollection<SeenJob> seen, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(seen);
        return changes.ReadAsync(seen, cancellationToken);
    }

    public Task<IReadOnlyList<JobChild>> FindChildrenAsync(Guid companyId, IReadOnlyCollection<Guid> parentIds, CancellationToken cancellationToken) =>
        reading.FindChildrenAsync(companyId, parentIds, cancellationToken);

    public Task<EndResult> EndJobAsync(
        Guid companyId, Guid jobId, JobFailure failure, KeyedRequest? request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(failure);
        return ending.EndAsync(companyId, jobId, failure, request, cancellationToken);
    }

    private async Task<AcceptResult> AcceptAsync(Acceptance acceptance, CancellationToken cancellationToken)
    {
        try
        {
            return await accepting.AcceptAsync(acceptance, cancellationToken);
        }
        catch (Exception exception) when (PostgreSqlFaults.IsDatabases(exception))
        {
            throw PostgreSqlFaults.Unavailable(exception);
        }
    }

    private static ApiJob NewlySealed(NewJob job, Chunk lastChunk, AcceptResult.Sealed made) => new()
    {
        Id = job.Id,
        CompanyId = job.CompanyId,
        Type = job.Type,
        Lane = job.Lane,
        Position = made.Position,
        Options = job.Options,
        Origin = job.Origin,
        TotalRecords = job.TotalRecords,
        TotalBytes = job.TotalBytes,
        MaxFailed = job.MaxFailed,
        ChunkCount = lastChunk.Index + 1,
        CreatedAt = made.CreatedAt,
        UpdatedAt = made.CreatedAt,
    };

    private static InvalidOperationException OutOfOrder(Guid jobId, int index) =>
        new($"Chunk {index} of upload {jobId} is not its next. Append the chunks of an upload in order, each once.");

    private static InvalidOperationException Miscounted(NewJob job) =>
        new($"Job {job.Id} was to be sealed with {job.TotalRecords} records, which is not what its chunks hold.");
}
