using ApiJobs.Jobs;
using ApiJobs.PostgreSql.Session;
using Npgsql;
using NpgsqlTypes;

namespace ApiJobs.PostgreSql.Applying;

/// <summary>What happened to jobs out of the ordinary.</summary>
internal static class LogStatements
{
    // Whoever adds to a job's log has locked the job, so nobody else gives the same number. No time goes back.
    private static readonly string Insert = $"""
        INSERT INTO job_log (company_id, job_id, number, time, event, detail)
        SELECT $1, n.job_id, n.number, n.time,
            CASE WHEN n.number = {JobLogEntry.MaxStored} AND NOT n.is_once THEN '{JobLogEntry.More.Event}' ELSE n.event END,
            CASE WHEN n.number = {JobLogEntry.MaxStored} AND NOT n.is_once THEN '{JobLogEntry.More.Detail}' ELSE n.detail END
        FROM (
            SELECT i.*, COALESCE(l.number, 0) + row_number() OVER (PARTITION BY i.job_id ORDER BY i.ordinal) AS number,
                GREATEST(now() + $6, l.time) AS time
            FROM input i LEFT JOIN LATERAL (
                SELECT number, time FROM job_log WHERE company_id = $1 AND job_id = i.job_id ORDER BY number DESC LIMIT 1) l ON true) n
        WHERE n.number <= {JobLogEntry.MaxStored} OR n.is_once
        """;

    private static readonly string AddSql = $"""
        WITH input AS (
            SELECT * FROM unnest($2::uuid[], $3::text[], $4::text[], $5::bool[]) WITH ORDINALITY AS i(job_id, event, detail, is_once, ordinal))
        {Insert}
        """;

    // Skipped while somebody else is changing the job: waiting for that here could be waiting for each other.
    private static readonly string AddToFirstSql = $"""
        WITH input AS (
            SELECT j.id AS job_id, $3::text AS event, $4::text AS detail, $5::bool AS is_once, 1 AS ordinal
            FROM lanes l CROSS JOIN LATERAL (
                SELECT id FROM jobs
                WHERE company_id = $1 AND lane = $2 AND position >= l.head_position AND end_time IS NULL
                ORDER BY position LIMIT 1) f
            CROSS JOIN LATERAL (SELECT id FROM jobs WHERE company_id = $1 AND id = f.id FOR UPDATE SKIP LOCKED) j
            WHERE l.company_id = $1 AND l.lane = $2 AND l.lease_token = $7)
        {Insert}
        """;

    /// <summary>Adds entries to the logs of jobs that the transaction has locked.</summary>
    /// <param name="companyId">The company.</param>
    /// <param name="entries">The entries, each with its job; in the order in which they happened.</param>
    /// <param name="sinceBegin">How long ago the transaction began.</param>
    internal static NpgsqlBatchCommand Add(Guid companyId, (Guid JobId, JobLogEntry Entry)[] entries, TimeSpan sinceBegin) => Sql.Statement(
        AddSql, Sql.Value(companyId), Sql.Column(entries, entry => entry.JobId, NpgsqlDbType.Uuid),
        Sql.Column(entries, entry => entry.Entry.Event, NpgsqlDbType.Text), Sql.Column(entries, entry => entry.Entry.Detail, NpgsqlDbType.Text),
        Sql.Column(entries, entry => entry.Entry.IsOnce, NpgsqlDbType.Boolean), Sql.Value(sinceBegin));

    /// <summary>Adds an entry to the log of a lane's first unfinished job, if the lease holds and nobody is changing the job.</summary>
    internal static NpgsqlBatchCommand AddToFirst(Storage.LaneLease lease, JobLogEntry entry) => Sql.Statement(
        AddToFirstSql, Sql.Value(lease.CompanyId), Sql.Value(lease.Lane), Sql.Value(entry.Event), Sql.Value(entry.Detail),
        new NpgsqlParameter<bool> { TypedValue = entry.IsOnce }, Sql.Value(TimeSpan.Zero), Sql.Value(lease.Token));
}
