using ApiJobs.Storage;

namespace ApiJobs.PostgreSql;

public sealed partial class PostgreSqlStore
{
    private const int EndedChunksPerStep = 100, EndedJobsPerStep = 500;

    // The oldest chunks there are, each with its job. Unfinished jobs as old as that are passed over, again and again; few are.
    private const string RemoveRecordsSql = """
        WITH old AS (
            SELECT c.job_id, c.chunk_index FROM chunks c
            WHERE c.company_id = $1 AND c.job_id < $2
              AND (SELECT j.end_time FROM jobs j WHERE j.company_id = $1 AND j.id = c.job_id LIMIT 1) < $3
            ORDER BY c.job_id, c.chunk_index
            LIMIT $4),
        results AS (
            DELETE FROM chunk_results r USING old
            WHERE r.company_id = $1 AND r.job_id = old.job_id AND r.chunk_index = old.chunk_index)
        DELETE FROM chunks c USING old
        WHERE c.company_id = $1 AND c.job_id = old.job_id AND c.chunk_index = old.chunk_index
        """;

    // Only jobs without chunks: that the statement above removed none may also mean that another node was faster with these.
    private const string RemoveJobsSql = """
        WITH old AS (
            SELECT id FROM jobs j
            WHERE company_id = $1 AND id < $2 AND end_time < $3
              AND (SELECT true FROM chunks c WHERE c.company_id = $1 AND c.job_id = j.id LIMIT 1) IS NULL
            ORDER BY id LIMIT $4),
        messages AS (
            DELETE FROM job_messages m USING old WHERE m.company_id = $1 AND m.job_id = old.id)
        DELETE FROM jobs j USING old WHERE j.company_id = $1 AND j.id = old.id
        """;

    /// <inheritdoc/>
    public Task<IReadOnlyList<Guid>> ReadCompaniesAsync(Guid? after, int max, CancellationToken cancellationToken)
    {
        return Faults.ServeAsync(Read());

        async Task<IReadOnlyList<Guid>> Read() =>
            await ReadAsync(
                companyId: null, Sql.ByKey,
                Sql.Statement(
                    "SELECT DISTINCT company_id FROM lanes WHERE $1 IS NULL OR company_id > $1 ORDER BY company_id LIMIT $2",
                    Sql.OrNull(after), Sql.Value(max)),
                row => row.GetGuid(0), cancellationToken);
    }

    /// <inheritdoc/>
    /// <remarks>Nodes that do this at the same time wait for each other's rows, and find them gone.</remarks>
    public Task<bool> RemoveEndedAsync(Guid companyId, DateTimeOffset endedBefore, EndedPart part, CancellationToken cancellationToken)
    {
        return Faults.ServeAsync(Remove());

        async Task<bool> Remove() =>
            await RunAsync(RemoveRecordsSql, EndedChunksPerStep) || (part == EndedPart.Jobs && await RunAsync(RemoveJobsSql, EndedJobsPerStep));

        async Task<bool> RunAsync(string sql, int max) =>
            await ExecuteAsync(
                companyId, cancellationToken,
                Sql.Statement(
                    sql, Sql.Value(companyId), Sql.Value(JobIds.LowestAt(endedBefore)), Sql.Value(endedBefore), Sql.Value(max))) > 0;
    }
}
