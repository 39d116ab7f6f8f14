using ApiJobs.Sqlite.Asking;
using ApiJobs.Sqlite.Session;
using ApiJobs.Storage;

namespace ApiJobs.Sqlite.Applying;

/// <summary>Reads what is to be applied next in a lane.</summary>
internal static class ReadingAhead
{
    // By bytes too: a thousand chunks of one record may be a gigabyte.
    private const int MaxBytes = 16 << 20;

    internal static IReadOnlyList<PendingChunk> Read(PreparedConnection connection, LaneLease lease, PendingChunk? after, int maxRecords)
    {
        var ahead = new List<PendingChunk>();
        long records = 0, bytes = 0;
        using var unfinished = connection.Use($"""
            SELECT {StoredJobs.Columns} FROM jobs
            WHERE company_id = ?1 AND lane = ?2 AND position >= ?3 AND end_time IS NULL
            ORDER BY position
            """);
        unfinished.Bind(1, lease.CompanyId).Bind(2, lease.Lane).Bind(3, after?.Job.Position ?? 0);
        while (unfinished.Read())
        {
            var job = StoredJobs.Read(unfinished, lease.CompanyId);
            using var chunks = connection.Use("""
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
                if (ahead.Count > 0 && (records > maxRecords || bytes >= MaxBytes))
                    return ahead;
                var chunk = StoredResults.ReadChunk(chunks);
                bytes += chunk.Payload.Length;
                ahead.Add(new PendingChunk(job, chunk));
            }
        }

        return ahead;
    }
}
