using ApiJobs.Jobs;
using ApiJobs.PostgreSql.Session;
using ApiJobs.Records;
using ApiJobs.Storage;
using Npgsql;

namespace ApiJobs.PostgreSql.Asking;

/// <summary>Reads jobs, their messages and what became of their records.</summary>
internal sealed class JobReading(StoreSession session)
{
    private const string FindJobSql = $"SELECT {JobRow.Columns} FROM jobs WHERE company_id = $1 AND id = $2";

    private const string ReadMessageSql = """
        SELECT text FROM job_messages WHERE company_id = $1 AND job_id = $2 AND chunk_index < $3 ORDER BY chunk_index
        """;

    private const string ReadResultsSql = """
        SELECT c.chunk_index, c.first_record, c.record_count, c.payload, r.outcomes, r.errors
        FROM chunks c
        LEFT JOIN chunk_results r ON r.company_id = $1 AND r.job_id = $2 AND r.chunk_index = c.chunk_index
        WHERE c.company_id = $1 AND c.job_id = $2 AND c.chunk_index >= $3
          AND EXISTS (SELECT FROM jobs WHERE company_id = $1 AND id = $2)
        ORDER BY c.chunk_index
        LIMIT $4
        """;

    private const string ReadErrorsSql = """
        SELECT code, pointer, count, first_index, message FROM job_errors
        WHERE company_id = $1 AND job_id = $2
        ORDER BY count DESC, first_index, code COLLATE "C", pointer COLLATE "C"
        """;

    internal async Task<ApiJob?> FindAsync(Guid companyId, Guid jobId, CancellationToken cancellationToken)
    {
        var jobs = await ReadAsync(companyId, Sql.Statement(FindJobSql, Sql.Value(companyId), Sql.Value(jobId)), JobRow.Read, cancellationToken);
        return jobs.SingleOrDefault();
    }

    internal async Task<string> ReadMessageAsync(Guid companyId, Guid jobId, int beforeChunk, CancellationToken cancellationToken)
    {
        var texts = await ReadAsync(
            companyId, Sql.Statement(ReadMessageSql, Sql.Value(companyId), Sql.Value(jobId), Sql.Value(beforeChunk)),
            row => row.GetString(0), cancellationToken);
        return string.Concat(texts);
    }

    internal async Task<IReadOnlyList<ChunkResult>> ReadResultsAsync(
        Guid companyId, Guid jobId, int fromChunk, int maxChunks, CancellationToken cancellationToken) =>
        await ReadAsync(
            companyId, Sql.Statement(ReadResultsSql, Sql.Value(companyId), Sql.Value(jobId), Sql.Value(fromChunk), Sql.Value(maxChunks)),
            row => new ChunkResult(
                new(row.GetInt32(0), row.GetInt64(1), row.GetInt32(2), row.GetFieldValue<byte[]>(3)),
                row.IsDBNull(4) ? ReadOnlyMemory<byte>.Empty : row.GetFieldValue<byte[]>(4),
                row.IsDBNull(5) ? ReadOnlyMemory<byte>.Empty : row.GetFieldValue<byte[]>(5)),
            cancellationToken);

    internal async Task<IReadOnlyList<ErrorGroup>> ReadErrorsAsync(Guid companyId, Guid jobId, CancellationToken cancellationToken) =>
        await ReadAsync(
            companyId, Sql.Statement(ReadErrorsSql, Sql.Value(companyId), Sql.Value(jobId)),
            row => new ErrorGroup(row.GetString(0), row.GetString(1), row.GetInt64(2), row.GetInt64(3), row.GetString(4)), cancellationToken);

    private Task<List<T>> ReadAsync<T>(
        Guid companyId, NpgsqlBatchCommand statement, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken) =>
        session.ReadAsync(companyId, TransactionKind.Looking, statement, read, cancellationToken);
}
