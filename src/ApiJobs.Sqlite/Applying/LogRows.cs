using ApiJobs.Jobs;
using ApiJobs.Sqlite.Connections;
using ApiJobs.Storage;

namespace ApiJobs.Sqlite.Applying;

/// <summary>What happened to jobs out of the ordinary. Everything that writes here runs inside a transaction.</summary>
internal static class LogRows
{
    /// <summary>Adds an entry to a job's log, unless the log is full.</summary>
    internal static void Add(SqliteSession session, Guid companyId, Guid jobId, JobLogEntry entry, DateTimeOffset now)
    {
        var (number, time) = (1L, StoredTime.From(now));
        using (var last = session.Use("SELECT number, time FROM job_log WHERE company_id = ?1 AND job_id = ?2 ORDER BY number DESC LIMIT 1"))
        {
            if (last.Bind(1, companyId).Bind(2, jobId).Read())
                (number, time) = (last.Int64(0) + 1, Math.Max(time, last.Int64(1)));
        }

        if (!entry.IsOnce && number > JobLogEntry.MaxStored)
            return;
        var kept = !entry.IsOnce && number == JobLogEntry.MaxStored ? JobLogEntry.More : entry;
        session.Use("INSERT INTO job_log (company_id, job_id, number, time, event, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
            .Bind(1, companyId).Bind(2, jobId).Bind(3, number).Bind(4, time).Bind(5, kept.Event).Bind(6, kept.Detail).Run();
    }

    /// <summary>Adds what a fault of a lane tells the lane's first unfinished job.</summary>
    internal static void Add(SqliteSession session, LaneLease lease, LaneFault fault, DateTimeOffset now)
    {
        if (fault.Log is not { } entry)
            return;
        Guid jobId;
        using (var first = session.Use("SELECT id FROM jobs WHERE company_id = ?1 AND lane = ?2 AND end_time IS NULL ORDER BY position LIMIT 1"))
        {
            if (!first.Bind(1, lease.CompanyId).Bind(2, lease.Lane).Read())
                return;
            jobId = first.Guid(0);
        }

        Add(session, lease.CompanyId, jobId, entry, now);
    }

    /// <summary>Reads a job's entries.</summary>
    internal static IReadOnlyList<JobLogLine> Read(SqliteSession session, Guid companyId, Guid jobId)
    {
        using var select = session.Use($"""
            SELECT time, event, detail FROM job_log WHERE company_id = ?1 AND job_id = ?2 ORDER BY number LIMIT {JobLogEntry.MaxShown}
            """);
        select.Bind(1, companyId).Bind(2, jobId);
        var lines = new List<JobLogLine>();
        while (select.Read())
            lines.Add(new(StoredTime.To(select.Int64(0)), select.Text(1), select.Text(2)));
        return lines;
    }
}
