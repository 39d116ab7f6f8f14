using ApiJobs.Jobs;
using ApiJobs.PostgreSql.Asking;
using ApiJobs.PostgreSql.Session;
using ApiJobs.Storage;

namespace ApiJobs.PostgreSql.Applying;

/// <summary>Reads the chunks that come next in a lane.</summary>
internal sealed class ReadAhead(StoreSession session)
{
    // Reading ahead is bounded in chunks and bytes too, not in records alone: the rest is read when these are applied.
    private const int MaxChunks = 500, MaxBytes = 16 << 20;

    // LATERAL with a limit reads no more of a huge job than can be used. Bounds are chosen by CASE, not by COALESCE, which
    // row-level security would not let near an index (decision 0010).
    internal static readonly string ReadAheadSql = $"""
        SELECT {JobRow.Columns}, chunk_index, first_record, record_count, payload
        FROM (
            SELECT next_chunks.*,
                row_number() OVER in_order AS number,
                sum(record_count) OVER in_order AS records,
                sum(octet_length(payload)) OVER in_order AS bytes
            FROM (
                SELECT j.*, c.chunk_index, c.first_record, c.record_count, c.payload
                FROM (
                    SELECT * FROM jobs
                    WHERE company_id = $1 AND lane = $2 AND end_time IS NULL
                      AND position >= CASE WHEN $3 IS NULL THEN (SELECT head_position FROM lanes WHERE company_id = $1 AND lane = $2) ELSE $3 END
                    ORDER BY position
                    LIMIT $6 + 1) j
                CROSS JOIN LATERAL (
                    SELECT chunk_index, first_record, record_count, payload FROM chunks
                    WHERE company_id = $1 AND job_id = j.id
                      AND chunk_index >= CASE WHEN j.position = $3 THEN $4 ELSE j.next_chunk END
                    ORDER BY chunk_index
                    LIMIT $6) c
                ORDER BY j.position, c.chunk_index
                LIMIT $6) next_chunks
            WINDOW in_order AS (ORDER BY position, chunk_index)) ahead
        WHERE number = 1 OR (records <= $5 AND bytes <= {MaxBytes})
        ORDER BY position, chunk_index
        """;

    /// <summary>Reads at most 500 chunks, and at most 16 MiB unless a single chunk is larger.</summary>
    internal async Task<IReadOnlyList<PendingChunk>> ReadAsync(
        LaneLease lease, PendingChunk? after, int maxRecords, CancellationToken cancellationToken)
    {
        ApiJob? job = null;
        return await session.ReadAsync(
            lease.CompanyId, TransactionKind.Looking,
            Sql.Statement(
                ReadAheadSql, Sql.Value(lease.CompanyId), Sql.Value(lease.Lane), Sql.OrNull(after?.Job.Position),
                Sql.Value((after?.Chunk.Index ?? 0) + 1), Sql.Value((long)maxRecords), Sql.Value(MaxChunks)),
            row =>
            {
                if (job?.Id != row.GetGuid(0))
                    job = JobRow.Read(row);
                const int first = JobRow.ColumnCount;
                return new PendingChunk(
                    job, new(row.GetInt32(first), row.GetInt64(first + 1), row.GetInt32(first + 2), row.GetFieldValue<byte[]>(first + 3)));
            },
            cancellationToken);
    }
}
