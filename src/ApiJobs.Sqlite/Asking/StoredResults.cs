using ApiJobs.Sqlite.Session;
using ApiJobs.Storage;

namespace ApiJobs.Sqlite.Asking;

/// <summary>What happened to the records of a job, and what its message says of it.</summary>
internal static class StoredResults
{
    internal static string Message(PreparedConnection connection, Guid companyId, Guid jobId, int beforeChunk)
    {
        using var select = connection.Use("""
            SELECT group_concat(text, '' ORDER BY chunk_index) FROM job_messages
            WHERE company_id = ?1 AND job_id = ?2 AND chunk_index < ?3
            """);
        return select.Bind(1, companyId).Bind(2, jobId).Bind(3, beforeChunk).Read() ? select.TextOrNull(0) ?? "" : "";
    }

    internal static IReadOnlyList<ChunkResult> Chunks(PreparedConnection connection, Guid companyId, Guid jobId, int fromChunk, int maxChunks)
    {
        using var select = connection.Use("""
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

    /// <summary>Reads a chunk of a row that begins with its index, first record, record count and payload.</summary>
    internal static Chunk ReadChunk(SqliteStatement row) => new(row.Int32(0), row.Int64(1), row.Int32(2), row.Bytes(3));
}
