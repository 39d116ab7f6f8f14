using ApiJobs.Jobs;
using ApiJobs.Sqlite.Accepting;
using ApiJobs.Sqlite.Asking;
using ApiJobs.Sqlite.Connections;
using ApiJobs.Storage;

namespace ApiJobs.Sqlite.Keeping;

/// <summary>Removes what jobs that ended long ago have left, a little at a time.</summary>
internal static class EndedJobRows
{
    // Payloads of a megabyte each at the most: freeing one reads all its pages.
    private const int ChunksPerStep = 16;

    private const int JobsPerStep = 200;

    /// <returns>Whether something was removed.</returns>
    internal static bool Remove(SqliteSession session, Guid companyId, DateTimeOffset endedBefore, EndedPart part) =>
        RemoveRecords(session, companyId, endedBefore) || (part == EndedPart.Jobs && RemoveJobs(session, companyId, endedBefore));

    private static bool RemoveRecords(SqliteSession session, Guid companyId, DateTimeOffset endedBefore)
    {
        // CROSS JOIN keeps the order of the tables: the oldest chunks there are, each with its job.
        var old = new List<(Guid JobId, int Index)>();
        using (var select = session.Use("""
            SELECT c.job_id, c.chunk_index FROM chunks c
            CROSS JOIN jobs j ON j.company_id = c.company_id AND j.id = c.job_id
            WHERE c.company_id = ?1 AND c.job_id < ?2 AND j.end_time < ?3
            ORDER BY c.job_id, c.chunk_index LIMIT ?4
            """))
        {
            select.Bind(1, companyId).Bind(2, JobIds.LowestAt(endedBefore)).Bind(3, StoredTime.From(endedBefore)).Bind(4, ChunksPerStep);
            while (select.Read())
                old.Add((select.Guid(0), select.Int32(1)));
        }

        foreach (var (jobId, index) in old)
        {
            session.Use("DELETE FROM chunk_results WHERE company_id = ?1 AND job_id = ?2 AND chunk_index = ?3")
                .Bind(1, companyId).Bind(2, jobId).Bind(3, index).Run();
            session.Use("DELETE FROM chunks WHERE company_id = ?1 AND job_id = ?2 AND chunk_index = ?3")
                .Bind(1, companyId).Bind(2, jobId).Bind(3, index).Run();
        }

        return old.Count > 0;
    }

    private static bool RemoveJobs(SqliteSession session, Guid companyId, DateTimeOffset endedBefore)
    {
        var old = new List<ApiJob>();
        using (var select = session.Use($"""
            SELECT {JobRows.Columns} FROM jobs
            WHERE company_id = ?1 AND id < ?2 AND end_time < ?3
            ORDER BY id LIMIT ?4
            """))
        {
            select.Bind(1, companyId).Bind(2, JobIds.LowestAt(endedBefore)).Bind(3, StoredTime.From(endedBefore)).Bind(4, JobsPerStep);
            while (select.Read())
                old.Add(JobRows.Read(select, companyId));
        }

        foreach (var job in old)
        {
            var id = job.Id;
            MarkRows.Delete(session, job);
            session.Use("DELETE FROM job_log WHERE company_id = ?1 AND job_id = ?2").Bind(1, companyId).Bind(2, id).Run();
            session.Use("DELETE FROM job_messages WHERE company_id = ?1 AND job_id = ?2").Bind(1, companyId).Bind(2, id).Run();
            session.Use("DELETE FROM job_errors WHERE company_id = ?1 AND job_id = ?2").Bind(1, companyId).Bind(2, id).Run();
            KeyRows.RemoveOf(session, companyId, id);
            ChildRows.RemoveOf(session, companyId, id, job.Origin.ParentId);
            session.Use("DELETE FROM jobs WHERE company_id = ?1 AND id = ?2").Bind(1, companyId).Bind(2, id).Run();
        }

        return old.Count > 0;
    }
}
