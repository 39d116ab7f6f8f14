using ApiJobs.Sqlite.Connections;
using ApiJobs.Storage;

namespace ApiJobs.Sqlite.Asking;

/// <summary>The records as they were accepted, and what happened to them.</summary>
internal static class ChunkRows
{
    // Read ahead by bytes too: a thousand chunks of one record may be a gigabyte.
    private const int MaxReadAheadBytes = 16 << 20;

    internal static void Insert(SqliteSession session, Guid companyId, Guid jobId, Chunk chunk)
    {
        using var insert = session.Use("""
            INSERT INTO chunks (company_id, job_id, chunk_index, first_record, record_count, payload) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
            """);
        insert.Bind(1, companyId).Bind(2, jobId).Bind(3, chunk.Index).Bind(4, chunk.FirstRecord).Bind(5, chunk.RecordCount)
            .Bind(6, chunk.Payload.Span).Run();
    }

    internal static IReadOnlyList<ChunkResult> Results(SqliteSession session, Guid companyId, Guid jobId, int fromChunk, int maxChunks)
    {
        using var select = session.Use("""
            SELECT c.chunk_index, c.first_record, c.record_count, c.payload, r.outcomes, r.errors
            FROM chunks c LEFT JOIN chunk_results r USING (company_id, job_id, chunk_index)
            WHERE c.company_id = ?1 AND c.job_id = ?2 AND c.chunk_index >= ?3
              AND EXISTS (SELECT 1 FROM jobs WHERE company_id = ?1 AND id = ?2)
            ORDER BY c.chunk_index LIMIT ?4
            """);
        select.Bind(1, companyId).Bind(2, jobId).Bind(3, fromChunk).Bind(4, maxChunks);
        var results = new List<ChunkResult>();
        while (select.Read())
            results.Add(new(Read(select), select.Bytes(4), select.Bytes(5)));
        return results;
    }

    internal static IReadOnlyList<PendingChunk> Ahead(SqliteSession session, LaneLease lease, PendingChunk? after, int maxRecords)
    {
        var ahead = new List<PendingChunk>();
        long records = 0, bytes = 0;
        using var unfinished = session.Use($"""
            SELECT {JobRows.Columns} FROM jobs
            WHERE company_id = ?1 AND lane = ?2 AND position >= ?3 AND end_time IS NULL
            ORDER BY position
            """);
        unfinished.Bind(1, lease.CompanyId).Bind(2, lease.Lane).Bind(3, after?.Job.Position ?? 0);
        while (unfinished.Read())
        {
            var job = JobRows.Read(unfinished, lease.CompanyId);
            using var chunks = session.Use("""
                SELECT chunk_index, first_record, record_count, payload FROM chunks
                WHERE company_id = ?1 AND job_id = ?2 AND chunk_index >= ?3
                ORDER BY chunk_index
                """);
            chunks.Bind(1, lease.CompanyId).Bind(2, job.Id);
            chunks.Bind(3, job.Id == after?.Job.Id ? after.Chunk.Index + 1 : job.NextChunk);
            while (chunks.Read())
            {
                // The count stands before the payload in the row: a chunk that is not taken is not read either.
                records += chunks.Int32(2);
                if (ahead.Count > 0 && (records > maxRecords || bytes > MaxReadAheadBytes))
                    return ahead;
                var chunk = Read(chunks);
                bytes += chunk.Payload.Length;
                ahead.Add(new(job, chunk));
            }
        }

        return ahead;
    }

    private static Chunk Read(SqliteStatement row) => new(row.Int32(0), row.Int64(1), row.Int32(2), row.Bytes(3));
}
