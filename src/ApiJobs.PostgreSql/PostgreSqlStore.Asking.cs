using ApiJobs.Jobs;
using ApiJobs.Storage;

namespace ApiJobs.PostgreSql;

public sealed partial class PostgreSqlStore
{
    private const string FindJobSql = $"""
        SELECT {JobRow.Columns},
            CASE WHEN message_entries > 0 THEN (
                SELECT string_agg(m.text, '' ORDER BY m.chunk_index)
                FROM job_messages m WHERE m.company_id = $1 AND m.job_id = $2) END
        FROM jobs WHERE company_id = $1 AND id = $2
        """;

    private const string ReadResultsSql = """
        SELECT c.chunk_index, c.first_record, c.record_count, c.payload, r.outcomes, r.errors
        FROM chunks c
        LEFT JOIN chunk_results r ON r.company_id = c.company_id AND r.job_id = c.job_id AND r.chunk_index = c.chunk_index
        WHERE c.company_id = $1 AND c.job_id = $2 AND c.chunk_index >= $3
          AND EXISTS (SELECT FROM jobs WHERE company_id = $1 AND id = $2)
        ORDER BY c.chunk_index
        LIMIT $4
        """;

    /// <inheritdoc/>
    public Task<ApiJob?> FindJobAsync(Guid companyId, Guid jobId, CancellationToken cancellationToken)
    {
        return Faults.ServeAsync(Find());

        async Task<ApiJob?> Find()
        {
            var jobs = await ReadAsync(
                companyId, Sql.Statement(FindJobSql, Sql.Value(companyId), Sql.Value(jobId)), JobRow.Read, cancellationToken);
            return jobs.SingleOrDefault();
        }
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<ChunkResult>> ReadResultsAsync(
        Guid companyId, Guid jobId, int fromChunk, int maxChunks, CancellationToken cancellationToken)
    {
        return Faults.ServeAsync(Read());

        async Task<IReadOnlyList<ChunkResult>> Read() =>
            await ReadAsync(
                companyId, Sql.Statement(ReadResultsSql, Sql.Value(companyId), Sql.Value(jobId), Sql.Value(fromChunk), Sql.Value(maxChunks)),
                row => new ChunkResult(
                    new(row.GetInt32(0), row.GetInt64(1), row.GetInt32(2), row.GetFieldValue<byte[]>(3)),
                    row.IsDBNull(4) ? ReadOnlyMemory<byte>.Empty : row.GetFieldValue<byte[]>(4),
                    row.IsDBNull(5) ? ReadOnlyMemory<byte>.Empty : row.GetFieldValue<byte[]>(5)),
                cancellationToken);
    }
}
