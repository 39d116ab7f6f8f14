using ApiJobs.PostgreSql.Session;

namespace ApiJobs.PostgreSql.Accepting;

/// <summary>Removes what unsealed uploads left.</summary>
internal sealed class UploadRemoval(StoreSession session)
{
    // A step is small enough to be over before anybody waits for it, and large enough to be worth its commit.
    private const int ChunksPerStep = 100, UploadsPerReading = 100;

    // The one statement of the store that looks at all companies beside those on lanes.
    private const string ReadIdleUploadsSql = "SELECT company_id, job_id FROM uploads WHERE abandoned OR touched_at <= now() - $1 LIMIT $2";

    private const string AbandonSql = """
        UPDATE uploads SET abandoned = true
        WHERE company_id = $1 AND job_id = $2 AND (abandoned OR $3 IS NULL OR touched_at <= now() - $3)
        """;

    // Never a sealed job's, whatever an append that came too late may have begun under its id.
    private const string RemoveChunksSql = """
        DELETE FROM chunks
        WHERE company_id = $1 AND job_id = $2
          AND chunk_index IN (
              SELECT chunk_index FROM chunks WHERE company_id = $1 AND job_id = $2 ORDER BY chunk_index LIMIT $3)
          AND EXISTS (SELECT FROM uploads WHERE company_id = $1 AND job_id = $2 AND abandoned)
          AND (SELECT true FROM jobs WHERE company_id = $1 AND id = $2 LIMIT 1) IS NULL
        """;

    private const string RemoveUploadSql = "DELETE FROM uploads WHERE company_id = $1 AND job_id = $2 AND abandoned";

    /// <summary>Removes the uploads to which nothing was appended for so long.</summary>
    /// <returns>How many.</returns>
    internal async Task<int> SweepAsync(TimeSpan idleFor, CancellationToken cancellationToken)
    {
        var removed = 0;
        while (true)
        {
            var idle = await session.ReadAsync(
                companyId: null, TransactionKind.Searching,
                Sql.Statement(ReadIdleUploadsSql, Sql.Value(idleFor), Sql.Value(UploadsPerReading)),
                row => (row.GetGuid(0), row.GetGuid(1)), cancellationToken);
            var removedBefore = removed;
            foreach (var (companyId, jobId) in idle)
                removed += await RemoveAsync(companyId, jobId, idleFor, cancellationToken) ? 1 : 0;
            // Without progress, what is left belongs to another sweeper or has been touched again.
            if (idle.Count < UploadsPerReading || removed == removedBefore)
                return removed;
        }
    }

    /// <summary>Removes an upload.</summary>
    /// <param name="companyId">The company.</param>
    /// <param name="jobId">The job that it would have become.</param>
    /// <param name="idleFor">Only if nothing was appended for so long; null removes it in any case.</param>
    /// <param name="cancellationToken">Cancels between two steps.</param>
    /// <returns>Whether this call removed it.</returns>
    internal async Task<bool> RemoveAsync(Guid companyId, Guid jobId, TimeSpan? idleFor, CancellationToken cancellationToken)
    {
        if (await RunAsync(AbandonSql, Sql.OrNull(idleFor)) == 0)
            return false;
        // From here on no append or seal can succeed, so the chunks may go bit by bit.
        while (await RunAsync(RemoveChunksSql, Sql.Value(ChunksPerStep)) == ChunksPerStep) { }
        return await RunAsync(RemoveUploadSql) == 1;

        Task<int> RunAsync(string sql, params Npgsql.NpgsqlParameter[] more) => session.ExecuteAsync(
            companyId, TransactionKind.Keeping, cancellationToken, Sql.Statement(sql, [Sql.Value(companyId), Sql.Value(jobId), .. more]));
    }
}
