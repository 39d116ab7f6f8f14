using ApiJobs.PostgreSql.Accepting;
using ApiJobs.PostgreSql.Session;
using ApiJobs.Storage;

namespace ApiJobs.PostgreSql.Keeping;

/// <summary>Removes what ended long enough ago, by the database's clock.</summary>
internal sealed class EndedJobRetention(StoreSession session)
{
    private const int ChunksPerStep = 100, JobsPerStep = 500;

    // Ids are UUIDs of version 7, which begin with the millisecond: so the old jobs of a company are a range of the primary key.
    private const string LowestId = """
        (lpad(to_hex(GREATEST(0, floor(extract(epoch FROM now() - $2) * 1000))::bigint), 12, '0') || repeat('0', 20))::uuid
        """;

    // The oldest chunks there are, each with its job. Unfinished jobs as old as that are passed over, again and again; few are.
    private const string RemoveRecordsSql = $"""
        WITH old AS (
            SELECT c.job_id, c.chunk_index FROM chunks c
            WHERE c.company_id = $1 AND c.job_id < {LowestId}
              AND (SELECT j.end_time FROM jobs j WHERE j.company_id = $1 AND j.id = c.job_id LIMIT 1) < now() - $2
            ORDER BY c.job_id, c.chunk_index
            LIMIT $3),
        results AS (
            DELETE FROM chunk_results r USING old
            WHERE r.company_id = $1 AND r.job_id = old.job_id AND r.chunk_index = old.chunk_index)
        DELETE FROM chunks c USING old
        WHERE c.company_id = $1 AND c.job_id = old.job_id AND c.chunk_index = old.chunk_index
        """;

    // Only jobs without chunks: that the statement above removed none may also mean that another node was faster with these.
    private const string RemoveJobsSql = $"""
        WITH old AS (
            SELECT id, client_id, type, parent_id, created_at FROM jobs j
            WHERE company_id = $1 AND id < {LowestId} AND end_time < now() - $2
              AND (SELECT true FROM chunks c WHERE c.company_id = $1 AND c.job_id = j.id LIMIT 1) IS NULL
            ORDER BY id LIMIT $3),
        messages AS (
            DELETE FROM job_messages m USING old WHERE m.company_id = $1 AND m.job_id = old.id),
        {MarkStatements.RemoveMarks},
        log AS (
            DELETE FROM job_log l USING old WHERE l.company_id = $1 AND l.job_id = old.id),
        errors AS (
            DELETE FROM job_errors e USING old WHERE e.company_id = $1 AND e.job_id = old.id),
        keys AS (
            DELETE FROM idempotency_keys k USING old WHERE k.company_id = $1 AND k.job_id = old.id),
        children AS (
            DELETE FROM job_children c USING old WHERE c.company_id = $1 AND c.parent_id = old.id),
        as_child AS (
            DELETE FROM job_children c USING old WHERE c.company_id = $1 AND c.parent_id = old.parent_id AND c.child_id = old.id)
        DELETE FROM jobs j USING old WHERE j.company_id = $1 AND j.id = old.id
        """;

    /// <summary>Takes a small step. Nodes that do this at the same time wait for each other's rows, and find them gone.</summary>
    /// <returns>Whether something was removed.</returns>
    internal async Task<bool> RemoveAsync(Guid companyId, TimeSpan keptFor, EndedPart part, CancellationToken cancellationToken)
    {
        return await RunAsync(RemoveRecordsSql, ChunksPerStep) || (part == EndedPart.Jobs && await RunAsync(RemoveJobsSql, JobsPerStep));

        async Task<bool> RunAsync(string sql, int max) =>
            await session.ExecuteAsync(
                companyId, TransactionKind.Keeping, cancellationToken,
                Sql.Statement(sql, Sql.Value(companyId), Sql.Value(keptFor), Sql.Value(max))) > 0;
    }
}
