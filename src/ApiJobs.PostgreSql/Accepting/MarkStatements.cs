namespace ApiJobs.PostgreSql.Accepting;

/// <summary>What lists find jobs by, computed in the statement that writes it (<see cref="Storage.JobMarks"/> says how).</summary>
internal static class MarkStatements
{
    /// <summary>Adds the marks of the jobs just sealed to a statement that has them as <c>sealed</c>.</summary>
    // Two values of a job may share a mark, however unlikely that is.
    internal const string MarkSealed = """
        marked AS (
            INSERT INTO job_marks (company_id, mark, created_at, job_id)
            SELECT $1, m.mark, s.created_at, s.job_id
            FROM sealed s CROSS JOIN LATERAL (VALUES
                (0::bigint),
                (('x' || encode(substr(sha256(convert_to('type=' || s.type, 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint),
                (('x' || encode(substr(sha256(convert_to('client_id=' || s.client_id, 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint),
                (('x' || encode(substr(sha256(convert_to('parent_id=' || s.parent_id, 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint),
                (CASE WHEN position('"dry_run":true' IN s.options) > 0 THEN 1 END)) AS m(mark)
            WHERE m.mark IS NOT NULL
            ON CONFLICT DO NOTHING)
        """;

    /// <summary>Marks the jobs $2 of company $1 that have ended as failed, or of which a record has failed.</summary>
    internal const string MarkFailuresSql = """
        INSERT INTO job_marks (company_id, mark, created_at, job_id)
        SELECT $1, m.mark, j.created_at, i.job_id
        FROM unnest($2::uuid[]) AS i(job_id)
        CROSS JOIN LATERAL (
            SELECT created_at, failure, failed_count FROM jobs WHERE company_id = $1 AND id = i.job_id LIMIT 1) j
        CROSS JOIN LATERAL (VALUES (2::bigint, j.failure IS NOT NULL), (3::bigint, j.failed_count > 0)) AS m(mark, is_given)
        WHERE m.is_given
        ON CONFLICT DO NOTHING
        """;

    /// <summary>Removes all marks of the jobs that a statement has as <c>old</c>, with the columns that marks are made of.</summary>
    internal const string RemoveMarks = """
        marks AS (
            DELETE FROM job_marks d USING (
                SELECT $1::uuid AS company_id, m.mark, o.created_at, o.id
                FROM old o CROSS JOIN LATERAL (VALUES
                    (0::bigint), (1::bigint), (2::bigint), (3::bigint),
                    (('x' || encode(substr(sha256(convert_to('type=' || o.type, 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint),
                    (('x' || encode(substr(sha256(convert_to('client_id=' || o.client_id, 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint),
                    (('x' || encode(substr(sha256(convert_to('parent_id=' || o.parent_id, 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint)) AS m(mark)
                WHERE m.mark IS NOT NULL
                OFFSET 0) m
            WHERE d.company_id = m.company_id AND d.mark = m.mark AND d.created_at = m.created_at AND d.job_id = m.id)
        """;
}
