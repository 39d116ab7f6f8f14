using ApiJobs.Jobs;
using ApiJobs.Sqlite.Connections;
using ApiJobs.Storage;

namespace ApiJobs.Sqlite.Accepting;

/// <summary>What lists find jobs by. Everything here runs inside a transaction.</summary>
internal static class MarkRows
{
    /// <summary>Keeps where a job that was just made is found.</summary>
    internal static void Insert(SqliteSession session, ApiJob job)
    {
        foreach (var mark in JobMarks.Of(job))
            Insert(session, job.CompanyId, mark, job.CreatedAt, job.Id);
    }

    /// <summary>Keeps one more place where a job is found; nothing happens if it is kept already.</summary>
    internal static void Insert(SqliteSession session, Guid companyId, long mark, DateTimeOffset createdAt, Guid jobId) =>
        session.Use("INSERT INTO job_marks (company_id, mark, created_at, job_id) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING")
            .Bind(1, companyId).Bind(2, mark).Bind(3, StoredTime.From(createdAt)).Bind(4, jobId).Run();

    /// <summary>Removes all marks of a job.</summary>
    internal static void Delete(SqliteSession session, ApiJob job)
    {
        foreach (var mark in (IEnumerable<long>)[.. JobMarks.Of(job), JobMarks.Failed, JobMarks.HasFailed])
            session.Use("DELETE FROM job_marks WHERE company_id = ?1 AND mark = ?2 AND created_at = ?3 AND job_id = ?4")
                .Bind(1, job.CompanyId).Bind(2, mark).Bind(3, StoredTime.From(job.CreatedAt)).Bind(4, job.Id).Run();
    }

    /// <summary>Marks the jobs of before there were marks. Every job made since has one, so this is done once.</summary>
    internal static void Fill(SqliteSession session)
    {
        using (var any = session.Use("SELECT 1 FROM job_marks LIMIT 1"))
        {
            if (any.Read())
                return;
        }

        session.Connection.CreateFunction("mark_of_type", (Func<string, long>)JobMarks.OfType, isDeterministic: true);
        session.Connection.CreateFunction("mark_of_client", (Func<string, long>)JobMarks.OfClient, isDeterministic: true);
        session.Connection.CreateFunction("mark_of_parent", (byte[] id) => JobMarks.OfParent(new(id, bigEndian: true)), isDeterministic: true);
        session.Execute($"""
            INSERT INTO job_marks (company_id, mark, created_at, job_id)
            SELECT company_id, {JobMarks.All}, created_at, id FROM jobs
            UNION ALL SELECT company_id, mark_of_type(type), created_at, id FROM jobs
            UNION ALL SELECT company_id, mark_of_client(client_id), created_at, id FROM jobs WHERE client_id IS NOT NULL
            UNION ALL SELECT company_id, mark_of_parent(parent_id), created_at, id FROM jobs WHERE parent_id IS NOT NULL
            UNION ALL SELECT company_id, {JobMarks.DryRun}, created_at, id FROM jobs WHERE options ->> '$.dry_run'
            UNION ALL SELECT company_id, {JobMarks.Failed}, created_at, id FROM jobs WHERE failure IS NOT NULL
            UNION ALL SELECT company_id, {JobMarks.HasFailed}, created_at, id FROM jobs WHERE failed_count > 0
            ON CONFLICT DO NOTHING
            """);
    }
}
