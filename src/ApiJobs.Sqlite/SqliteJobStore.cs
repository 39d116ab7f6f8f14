using ApiJobs.Jobs;
using ApiJobs.Records;
using ApiJobs.Sqlite.Accepting;
using ApiJobs.Sqlite.Applying;
using ApiJobs.Sqlite.Asking;
using ApiJobs.Sqlite.Connections;
using ApiJobs.Sqlite.Lanes;
using ApiJobs.Storage;

namespace ApiJobs.Sqlite;

/// <inheritdoc cref="IJobStore"/>
internal sealed class SqliteJobStore(SqliteDatabase database, LaneQueue lanes) : IJobStore
{
    public Task<bool> AppendChunkAsync(Guid companyId, Guid jobId, Chunk chunk, CancellationToken cancellationToken) =>
        database.WriteAsync(
            session =>
            {
                session.Space.Take(chunk.Payload.Length);
                return UploadRows.Append(session, companyId, jobId, chunk, database.Clock.Steady);
            }, cancellationToken);

    public async Task<SealResult> SealJobAsync(NewJob job, Chunk lastChunk, CancellationToken cancellationToken)
    {
        var sealing = await database.WriteAsync(
            session =>
            {
                session.Space.Take(lastChunk.Payload.Length);
                return JobSealing.Seal(session, job, lastChunk, database.Clock.Now);
            }, cancellationToken,
            committed => lanes.Move(job.CompanyId, job.Lane, committed.Lane));
        return sealing.Result;
    }

    public Task AbandonUploadAsync(Guid companyId, Guid jobId, CancellationToken cancellationToken) =>
        UploadSweeping.RemoveAsync(database, companyId, jobId, DateTimeOffset.MaxValue, cancellationToken);

    public Task<KeyHolder?> FindKeyAsync(Guid companyId, string? clientId, string key, CancellationToken cancellationToken) =>
        database.ReadAsync(session => KeyRows.Find(session, companyId, clientId, key), cancellationToken);

    public Task<ApiJob?> FindJobAsync(Guid companyId, Guid jobId, CancellationToken cancellationToken) =>
        database.ReadAsync(session => JobRows.Find(session, companyId, jobId), cancellationToken);

    public Task<string> ReadMessageAsync(Guid companyId, Guid jobId, int beforeChunk, CancellationToken cancellationToken) =>
        database.ReadAsync(session => JobRows.Message(session, companyId, jobId, beforeChunk), cancellationToken);

    public Task<IReadOnlyList<ChunkResult>> ReadResultsAsync(
        Guid companyId, Guid jobId, int fromChunk, int maxChunks, CancellationToken cancellationToken) =>
        database.ReadAsync(session => ChunkRows.Results(session, companyId, jobId, fromChunk, maxChunks), cancellationToken);

    public Task<IReadOnlyList<ErrorGroup>> ReadErrorsAsync(Guid companyId, Guid jobId, CancellationToken cancellationToken) =>
        database.ReadAsync(session => ErrorRows.Of(session, companyId, jobId), cancellationToken);

    public Task<JobPage> ListJobsAsync(Guid companyId, JobQuery query, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        return database.ReadAsync(session => JobList.Read(session, companyId, query), cancellationToken);
    }

    public Task<IReadOnlyList<long>> CountJobsBeforeAsync(Guid companyId, IReadOnlyList<ApiJob> unfinished, CancellationToken cancellationToken) =>
        database.ReadAsync(session => JobList.CountBefore(session, companyId, unfinished), cancellationToken);

    public Task<IReadOnlyList<JobLogLine>> ReadLogAsync(Guid companyId, Guid jobId, CancellationToken cancellationToken) =>
        database.ReadAsync(session => LogRows.Read(session, companyId, jobId), cancellationToken);

    public Task<Backlog> ReadBacklogAsync(Guid? companyId, CancellationToken cancellationToken) =>
        database.ReadAsync(session => LaneRows.Backlog(session, companyId), cancellationToken);

    public bool IsShared => false;

    public Task<IReadOnlyList<ApiJob>> ReadChangedAsync(IReadOnlyCollection<SeenJob> seen, CancellationToken cancellationToken) =>
        database.ReadAsync(session => JobRows.Changed(session, seen), cancellationToken);

    public Task<IReadOnlyList<JobChild>> FindChildrenAsync(Guid companyId, IReadOnlyCollection<Guid> parentIds, CancellationToken cancellationToken) =>
        database.ReadAsync(session => ChildRows.Of(session, companyId, parentIds), cancellationToken);

    public async Task<EndResult> EndJobAsync(
        Guid companyId, Guid jobId, JobFailure failure, KeyedRequest? request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(failure);
        var ending = await database.WriteAsync(
            session => JobEnd.Fail(session, companyId, jobId, failure, request, database.Clock.Now), cancellationToken,
            committed => lanes.Move(companyId, committed.LaneName, committed.Lane));
        return ending.Result;
    }
}
