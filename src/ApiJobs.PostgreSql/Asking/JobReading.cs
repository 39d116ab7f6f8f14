using ApiJobs.Jobs;
using ApiJobs.PostgreSql.Session;
using ApiJobs.Records;
using ApiJobs.Storage;
using Npgsql;
using NpgsqlTypes;

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

    private const string FindKeySql = "SELECT job_id, fingerprint FROM idempotency_keys WHERE company_id = $1 AND client_id = $2 AND key = $3";

    private const string FindChildrenSql = "SELECT parent_id, kind, child_id FROM job_children WHERE company_id = $1 AND parent_id = ANY($2) ORDER BY parent_id, kind";

    internal async Task<KeyHolder?> FindKeyAsync(Guid companyId, string? clientId, string key, CancellationToken cancellationToken)
    {
        var holders = await ReadAsync(
            companyId, Sql.Statement(FindKeySql, Sql.Value(companyId), Sql.Value(clientId ?? ""), Sql.Value(key)),
            row => new KeyHolder(row.GetGuid(0), row.GetFieldValue<byte[]>(1)), cancellationToken);
        return holders.SingleOrDefault();
    }

    internal async Task<IReadOnlyList<JobChild>> FindChildrenAsync(Guid companyId, IReadOnlyCollection<Guid> parentIds, CancellationToken cancellationToken) =>
        await ReadAsync(
            companyId, Sql.Statement(FindChildrenSql, Sql.Value(companyId), Sql.Array([.. parentIds], NpgsqlDbType.Uuid)),
            row => new JobChild(row.GetGuid(0), (JobDescent)row.GetInt16(1), row.GetGuid(2)), cancellationToken);

    private const string ReadBacklogSql = """
        SELECT COALESCE(sum(GREATEST(t.sealed_records - l.ended_records, 0)), 0)::bigint, COALESCE(sum(GREATEST(t.sealed_bytes - l.ended_bytes, 0)), 0)::bigint
        FROM lane_tails t JOIN lanes l ON l.company_id = $1 AND l.lane = t.lane
        WHERE t.company_id = $1 AND l.has_work
        """;

    // By the two partial indexes of lanes with work: however many lanes there are without.
    private const string ReadWholeBacklogSql = """
        WITH busy AS (
            SELECT company_id, lane, ended_records, ended_bytes FROM lanes WHERE has_work AND not_before IS NULL
            UNION ALL
            SELECT company_id, lane, ended_records, ended_bytes FROM lanes WHERE has_work AND not_before IS NOT NULL)
        SELECT COALESCE(sum(GREATEST(t.sealed_records - l.ended_records, 0)), 0)::bigint, COALESCE(sum(GREATEST(t.sealed_bytes - l.ended_bytes, 0)), 0)::bigint
        FROM busy l JOIN lane_tails t ON t.company_id = l.company_id AND t.lane = l.lane
        """;

    internal async Task<Backlog> ReadBacklogAsync(Guid? companyId, CancellationToken cancellationToken)
    {
        var statement = companyId is { } company ? Sql.Statement(ReadBacklogSql, Sql.Value(company)) : Sql.Statement(ReadWholeBacklogSql);
        var sums = await session.ReadAsync(
            companyId, TransactionKind.Looking, statement, row => new Backlog(row.GetInt64(0), row.GetInt64(1)), cancellationToken);
        return sums.Single();
    }

    private static readonly string ReadLogSql = $"""
        SELECT time, event, detail FROM job_log WHERE company_id = $1 AND job_id = $2 ORDER BY number LIMIT {JobLogEntry.MaxShown}
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

    internal async Task<IReadOnlyList<JobLogLine>> ReadLogAsync(Guid companyId, Guid jobId, CancellationToken cancellationToken) =>
        await ReadAsync(
            companyId, Sql.Statement(ReadLogSql, Sql.Value(companyId), Sql.Value(jobId)),
            row => new JobLogLine(row.GetFieldValue<DateTimeOffset>(0), row.GetString(1), row.GetString(2)), cancellationToken);

    internal async Task<IReadOnlyList<ErrorGroup>> ReadErrorsAsync(Guid companyId, Guid jobId, CancellationToken cancellationToken) =>
        await ReadAsync(
            companyId, Sql.Statement(ReadErrorsSql, Sql.Value(companyId), Sql.Value(jobId)),
            row => new ErrorGroup(row.GetString(0), row.GetString(1), row.GetInt64(2), row.GetInt64(3), row.GetString(4)), cancellationToken);

    private Task<List<T>> ReadAsync<T>(
        Guid companyId, NpgsqlBatchCommand statement, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken) =>
        session.ReadAsync(companyId, TransactionKind.Looking, statement, read, cancellationToken);
}
