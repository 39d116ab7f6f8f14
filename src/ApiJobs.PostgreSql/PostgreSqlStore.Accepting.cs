using ApiJobs.Jobs;
using ApiJobs.PostgreSql.Accepting;
using ApiJobs.Storage;

namespace ApiJobs.PostgreSql;

public sealed partial class PostgreSqlStore
{
    // A step is small enough to be over before anybody waits for it, and large enough to be worth its commit.
    private const int ChunksRemovedPerStep = 100, UploadsReadPerStep = 100;

    /// <inheritdoc/>
    /// <remarks>Appending a chunk again with the same records succeeds and stores nothing, so an append whose answer was lost may be repeated.</remarks>
    /// <exception cref="InvalidOperationException">The upload has other records under this chunk's number.</exception>
    public async Task<bool> AppendChunkAsync(Guid companyId, Guid jobId, Chunk chunk, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(chunk);
        var result = await Faults.ServeAsync(_accepting.AcceptAsync(new(companyId, jobId, chunk, Job: null), cancellationToken));
        return result is not AcceptResult.Swept;
    }

    /// <inheritdoc/>
    /// <remarks>Sealing a job again returns the job as it is, so a seal whose answer was lost may be repeated.</remarks>
    public async Task<ApiJob?> SealJobAsync(NewJob job, Chunk lastChunk, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(job);
        ArgumentNullException.ThrowIfNull(lastChunk);
        var result = await Faults.ServeAsync(_accepting.AcceptAsync(new(job.CompanyId, job.Id, lastChunk, job), cancellationToken));
        if (result is not AcceptResult.Sealed { Position: var position })
        {
            // Not sealed by this call: an earlier call did, or the upload is gone. Not cancellable, like the writing before it.
            return await FindJobAsync(job.CompanyId, job.Id, CancellationToken.None);
        }

        var createdAt = Sql.Microseconds(job.CreatedAt);
        return new ApiJob
        {
            Id = job.Id,
            CompanyId = job.CompanyId,
            Type = job.Type,
            Lane = job.Lane,
            Position = position,
            Options = job.Options,
            TotalRecords = job.TotalRecords,
            ChunkCount = lastChunk.Index + 1,
            CreatedAt = createdAt,
            UpdatedAt = createdAt,
        };
    }

    /// <inheritdoc/>
    public Task AbandonUploadAsync(Guid companyId, Guid jobId, CancellationToken cancellationToken) =>
        Faults.ServeAsync(RemoveUploadAsync(companyId, jobId, idleFor: TimeSpan.Zero, cancellationToken));

    /// <inheritdoc/>
    public Task<int> SweepUploadsAsync(TimeSpan idleFor, CancellationToken cancellationToken)
    {
        return Faults.ServeAsync(Sweep());

        async Task<int> Sweep()
        {
            var removed = 0;
            while (true)
            {
                var idle = await ReadIdleUploadsAsync(idleFor, cancellationToken);
                var removedBefore = removed;
                foreach (var (companyId, jobId) in idle)
                    removed += await RemoveUploadAsync(companyId, jobId, idleFor, cancellationToken) ? 1 : 0;
                // Without progress, what is left belongs to another sweeper or has been touched again.
                if (idle.Count < UploadsReadPerStep || removed == removedBefore)
                    return removed;
            }
        }
    }

    private Task<List<(Guid CompanyId, Guid JobId)>> ReadIdleUploadsAsync(TimeSpan idleFor, CancellationToken cancellationToken) =>
        ReadAsync(
            companyId: null, Sql.Afresh,
            Sql.Statement(
                "SELECT company_id, job_id FROM uploads WHERE abandoned OR touched_at <= clock_timestamp() - $1 LIMIT $2",
                Sql.Value(idleFor), Sql.Value(UploadsReadPerStep)),
            row => (row.GetGuid(0), row.GetGuid(1)), cancellationToken);

    private async Task<bool> RemoveUploadAsync(Guid companyId, Guid jobId, TimeSpan idleFor, CancellationToken cancellationToken)
    {
        var marked = await ExecuteAsync(
            companyId, cancellationToken,
            Sql.Statement(
                """
                UPDATE uploads SET abandoned = true
                WHERE company_id = $1 AND job_id = $2 AND (abandoned OR touched_at <= clock_timestamp() - $3)
                """,
                Sql.Value(companyId), Sql.Value(jobId), Sql.Value(idleFor)));
        if (marked == 0)
            return false;

        // From here on no append or seal can succeed, so the chunks may go bit by bit.
        int removedChunks;
        do
        {
            removedChunks = await ExecuteAsync(
                companyId, cancellationToken,
                Sql.Statement(
                    """
                    DELETE FROM chunks
                    WHERE company_id = $1 AND job_id = $2
                      AND chunk_index IN (
                          SELECT chunk_index FROM chunks WHERE company_id = $1 AND job_id = $2 ORDER BY chunk_index LIMIT $3)
                      AND EXISTS (SELECT FROM uploads WHERE company_id = $1 AND job_id = $2 AND abandoned)
                    """,
                    Sql.Value(companyId), Sql.Value(jobId), Sql.Value(ChunksRemovedPerStep)));
        }
        while (removedChunks == ChunksRemovedPerStep);

        return await ExecuteAsync(
            companyId, cancellationToken,
            Sql.Statement(
                "DELETE FROM uploads WHERE company_id = $1 AND job_id = $2 AND abandoned", Sql.Value(companyId), Sql.Value(jobId))) == 1;
    }
}
