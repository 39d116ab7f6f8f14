using ApiJobs.Jobs;
using ApiJobs.Sqlite.Accepting;
using ApiJobs.Sqlite.Asking;
using ApiJobs.Sqlite.Connections;
using ApiJobs.Storage;

namespace ApiJobs.Sqlite.Applying;

/// <summary>The one step that brings a job further and ends it: counts, times, the end and its reason. Runs inside the writer's transaction.</summary>
internal static class JobProgress
{
    /// <summary>Brings an unfinished job further. Whoever ends jobs moves their lane's head too, in the same transaction.</summary>
    /// <param name="session">The session.</param>
    /// <param name="job">The job, as it was read some time ago.</param>
    /// <param name="counts">What has happened to some more of its records.</param>
    /// <param name="messageEntries">How many entries its message has got.</param>
    /// <param name="messageBytes">What they take.</param>
    /// <param name="ends">Whether it ends.</param>
    /// <param name="failure">Why it could not run to its end; null if its last chunk is applied.</param>
    /// <param name="now">The time.</param>
    /// <returns>The job as it is since; null if it had ended.</returns>
    internal static ApiJob? Advance(
        SqliteSession session, ApiJob job, OutcomeCounts counts, int messageEntries, int messageBytes, bool ends, JobFailure? failure, DateTimeOffset now)
    {
        using var update = session.Use($"""
            UPDATE jobs SET
                created_count = created_count + ?3, updated_count = updated_count + ?4,
                unchanged_count = unchanged_count + ?5, failed_count = failed_count + ?6,
                message_entries = message_entries + ?7, message_bytes = message_bytes + ?8,
                updated_at = max(updated_at, coalesce(start_time, 0), ?9),
                end_time = CASE WHEN ?10 THEN max(updated_at, coalesce(start_time, 0), ?9) END, failure_code = ?11, failure = ?12
            WHERE company_id = ?1 AND id = ?2 AND end_time IS NULL
            RETURNING {JobRows.ProgressColumns}
            """);
        update.Bind(1, job.CompanyId).Bind(2, job.Id)
            .Bind(3, counts.Created).Bind(4, counts.Updated).Bind(5, counts.Unchanged).Bind(6, counts.Failed)
            .Bind(7, messageEntries).Bind(8, messageBytes).Bind(9, StoredTime.From(now))
            .Bind(10, ends ? 1 : 0).BindOrNull(11, failure?.Code).BindOrNull(12, failure?.Message);
        if (!update.Read())
            return null;
        var since = JobRows.ReadProgress(job, update) with { Failure = failure };
        // Where its failures begin.
        if (counts.Failed > 0 && since.Counts.Failed == counts.Failed)
            MarkRows.Insert(session, job.CompanyId, JobMarks.HasFailed, job.CreatedAt, job.Id);
        if (failure is not null)
            MarkRows.Insert(session, job.CompanyId, JobMarks.Failed, job.CreatedAt, job.Id);
        return since;
    }
}
