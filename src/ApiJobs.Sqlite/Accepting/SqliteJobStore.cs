using ApiJobs.Jobs;
using ApiJobs.Sqlite.Applying;
using ApiJobs.Sqlite.Asking;
using ApiJobs.Sqlite.Lanes;
using ApiJobs.Sqlite.Session;
using ApiJobs.Storage;

namespace ApiJobs.Sqlite.Accepting;

/// <summary>Accepting, asking and ending, on one SQLite file.</summary>
internal sealed class SqliteJobStore(SqliteSession session, LaneQueue lanes) : IJobStore
{
    /// <inheritdoc/>
    public Task<bool> AppendChunkAsync(Guid companyId, Guid jobId, Chunk chunk, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(chunk);
        return session.WriteAsync(connection =>
        {
            session.ThrowIfShortOfRoom(connection);
            return Intake.Append(connection, companyId, jobId, chunk, session.Clock.Steady());
        }, cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<SealResult> SealJobAsync(NewJob job, Chunk lastChunk, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(job);
        ArgumentNullException.ThrowIfNull(lastChunk);
        var sealing = await session.WriteAsync(connection =>
        {
            session.ThrowIfShortOfRoom(connection);
            return Intake.Seal(connection, job, lastChunk, session.Clock.Now());
        }, cancellationToken, committed => lanes.Move(job.CompanyId, job.Lane, committed.Lane));
        return sealing.Result;
    }

    /// <inheritdoc/>
    public Task AbandonUploadAsync(Guid companyId, Guid jobId, CancellationToken cancellationToken) =>
        UploadRemoval.RemoveAsync(session, companyId, jobId, DateTimeOffset.MaxValue, cancellationToken);

    /// <inheritdoc/>
    public Task<ApiJob?> FindJobAsync(Guid companyId, Guid jobId, CancellationToken cancellationToken) =>
        session.ReadAsync(connection => StoredJobs.Find(connection, companyId, jobId), cancellationToken);

    /// <inheritdoc/>
    public Task<string> ReadMessageAsync(Guid companyId, Guid jobId, int beforeChunk, CancellationToken cancellationToken) =>
        session.ReadAsync(connection => StoredResults.Message(connection, companyId, jobId, beforeChunk), cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<ChunkResult>> ReadResultsAsync(
        Guid companyId, Guid jobId, int fromChunk, int maxChunks, CancellationToken cancellationToken) =>
        session.ReadAsync(connection => StoredResults.Chunks(connection, companyId, jobId, fromChunk, maxChunks), cancellationToken);

    /// <inheritdoc/>
    public async Task<EndResult> EndJobAsync(Guid companyId, Guid jobId, JobFailure failure, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(failure);
        var (result, _, _) = await session.WriteAsync(
            connection => JobEnd.EndFailed(connection, companyId, jobId, failure, session.Clock.Now()), cancellationToken,
            committed => lanes.Move(companyId, committed.Lane, committed.Positions));
        return result;
    }
}
