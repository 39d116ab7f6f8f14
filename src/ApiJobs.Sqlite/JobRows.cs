using ApiJobs.Jobs;
using ApiJobs.Storage;

namespace ApiJobs.Sqlite;

/// <summary>Reads jobs, their chunks and their results.</summary>
internal static class JobRows
{
    // Read ahead by bytes too: a thousand chunks of one record may be a gigabyte.
    private const int MaxReadAheadBytes = 16 << 20;

    // One statement, so that a job and its message are of one moment.
    private const string Columns = """
        id, type, lane, position, options, total_records, chunk_count, next_chunk,
        created_records, updated_records, unchanged_records, failed_records,
        created_at, updated_at, start_time, end_time, failure, message_entries,
        CASE WHEN message_entries > 0 THEN (
            SELECT group_concat(text, '' ORDER BY chunk_index) FROM job_messages
            WHERE company_id = jobs.company_id AND job_id = jobs.id)
        END
        """;

    internal static ApiJob? Find(SqliteSession session, Guid companyId, Guid jobId)
    {
        using var find = session.Use($"SELECT {Columns} FROM jobs WHERE company_id = ?1 AND id = ?2");
        return find.Bind(1, companyId).Bind(2, jobId).Read() ? Read(find, companyId) : null;
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
            results.Add(new ChunkResult(ReadChunk(select), select.Bytes(4), select.Bytes(5)));
        return results;
    }

    internal static IReadOnlyList<PendingChunk> Ahead(SqliteSession session, LaneLease lease, PendingChunk? after, int maxRecords)
    {
        var ahead = new List<PendingChunk>();
        long records = 0, bytes = 0;
        using var unfinished = session.Use($"""
            SELECT {Columns} FROM jobs
            WHERE company_id = ?1 AND lane = ?2 AND position >= ?3 AND end_time IS NULL
            ORDER BY position
            """);
        unfinished.Bind(1, lease.CompanyId).Bind(2, lease.Lane).Bind(3, after?.Job.Position ?? 0);
        while (unfinished.Read())
        {
            var job = Read(unfinished, lease.CompanyId);
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
                var chunk = ReadChunk(chunks);
                bytes += chunk.Payload.Length;
                ahead.Add(new PendingChunk(job, chunk));
            }
        }

        return ahead;
    }

    private static Chunk ReadChunk(SqliteStatement row) => new(row.Int32(0), row.Int64(1), row.Int32(2), row.Bytes(3));

    private static ApiJob Read(SqliteStatement row, Guid companyId) => new()
    {
        Id = row.Guid(0),
        CompanyId = companyId,
        Type = row.Text(1),
        Lane = row.Text(2),
        Position = row.Int64(3),
        Options = JobOptions.FromJson(row.TextOrNull(4)),
        TotalRecords = row.Int64(5),
        ChunkCount = row.Int32(6),
        NextChunk = row.Int32(7),
        Counts = new OutcomeCounts(row.Int64(8), row.Int64(9), row.Int64(10), row.Int64(11)),
        CreatedAt = StoredTime.To(row.Int64(12)),
        UpdatedAt = StoredTime.To(row.Int64(13)),
        StartTime = row.IsNull(14) ? null : StoredTime.To(row.Int64(14)),
        EndTime = row.IsNull(15) ? null : StoredTime.To(row.Int64(15)),
        Failure = row.TextOrNull(16),
        Message = row.IsNull(18) ? JobMessage.Empty : new JobMessage(row.Text(18), row.Int64(17)),
    };
}
