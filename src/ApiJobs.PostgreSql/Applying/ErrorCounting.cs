using ApiJobs.PostgreSql.Session;
using ApiJobs.Records;
using Npgsql;
using NpgsqlTypes;

namespace ApiJobs.PostgreSql.Applying;

/// <summary>Adds the errors of applied chunks to those of their jobs, by kind. A transaction without failures has no such step.</summary>
internal static class ErrorCounting
{
    // The job's row is locked since its cursor moved, so nobody else counts meanwhile. A kind that the job has is counted on; a new one is
    // kept while there is room, in input order; what is beyond is counted together. OFFSET keeps the look-ups by key, one a kind.
    private const string CountErrorsSql = """
        INSERT INTO job_errors AS e (company_id, job_id, code, pointer, count, first_index, message)
        SELECT $1, job_id, code, pointer, sum(count), min(first_index), (array_agg(message ORDER BY first_index))[1]
        FROM (
            SELECT job_id, count, first_index,
                CASE WHEN is_kept THEN code ELSE $7 END AS code,
                CASE WHEN is_kept THEN pointer ELSE '' END AS pointer,
                CASE WHEN is_kept THEN message ELSE $8 END AS message
            FROM (
                SELECT r.*, r.is_known OR ($9 >= r.place AND $9 >= r.place + (
                    SELECT count(*) FROM job_errors j
                    WHERE j.company_id = $1 AND j.job_id = r.job_id AND NOT (j.code = $7 AND j.pointer = ''))) AS is_kept
                FROM (
                    SELECT k.*, row_number() OVER (PARTITION BY k.job_id, k.is_known ORDER BY k.ordinal) AS place
                    FROM (
                        SELECT g.*, EXISTS (
                            SELECT FROM job_errors h
                            WHERE h.company_id = $1 AND h.job_id = g.job_id AND h.code = g.code AND h.pointer = g.pointer OFFSET 0) AS is_known
                        FROM unnest($2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $10::text[]) WITH ORDINALITY
                            AS g(job_id, code, pointer, count, first_index, message, ordinal)) k) r) kept) counted
        GROUP BY job_id, code, pointer
        ON CONFLICT (company_id, job_id, code, pointer) DO UPDATE SET count = e.count + excluded.count
        """;

    /// <summary>Adds the step, if there is anything to count.</summary>
    /// <param name="batch">The batch, in a transaction of the company.</param>
    /// <param name="companyId">The company.</param>
    /// <param name="groups">The kinds of errors of each job, each once.</param>
    internal static void AddTo(NpgsqlBatch batch, Guid companyId, (Guid JobId, ErrorGroup Group)[] groups)
    {
        if (groups.Length == 0)
            return;
        batch.BatchCommands.Add(Sql.Statement(
            CountErrorsSql, Sql.Value(companyId), Column(row => row.JobId, NpgsqlDbType.Uuid),
            Column(row => row.Group.Code, NpgsqlDbType.Text), Column(row => row.Group.Pointer, NpgsqlDbType.Text),
            Column(row => row.Group.Count, NpgsqlDbType.Bigint), Column(row => row.Group.FirstIndex, NpgsqlDbType.Bigint),
            Sql.Value(ErrorGroup.OtherCode), Sql.Value(ErrorGroup.OtherMessage), Sql.Value(ErrorGroup.MaxPerJob - 1L),
            Column(row => row.Group.Message, NpgsqlDbType.Text)));

        NpgsqlParameter Column<T>(Func<(Guid JobId, ErrorGroup Group), T> value, NpgsqlDbType type) => Sql.Column(groups, value, type);
    }
}
