using ApiJobs.Jobs;
using ApiJobs.Sqlite.Accepting;
using ApiJobs.Sqlite.Connections;
using ApiJobs.Sqlite.Lanes;
using ApiJobs.Storage;

namespace ApiJobs.Sqlite.Applying;

/// <summary>What came of ending a job, and where its lane stands since.</summary>
internal sealed record Ending(EndResult Result, string LaneName = "", LanePositions? Lane = null);

/// <summary>The one way in which jobs end. Runs inside the writer's transaction.</summary>
internal static class JobEnd
{
    /// <summary>Ends a job before its last chunk.</summary>
    internal static Ending Fail(SqliteSession session, Guid companyId, Guid jobId, JobFailure failure, DateTimeOffset now)
    {
        string lane;
        using (var find = session.Use("SELECT lane, end_time FROM jobs WHERE company_id = ?1 AND id = ?2"))
        {
            if (!find.Bind(1, companyId).Bind(2, jobId).Read())
                return new(EndResult.Unknown);
            if (!find.IsNull(1))
                return new(EndResult.HadEnded);
            lane = find.Text(0);
        }

        End(session, companyId, jobId, failure, now);
        return new(EndResult.Ended, lane, LaneRows.MoveHead(session, companyId, lane, now));
    }

    /// <summary>Sets the end of a job and its reason. Whoever ends jobs moves their lane's head too, in the same transaction.</summary>
    /// <param name="session">The session.</param>
    /// <param name="companyId">The company.</param>
    /// <param name="jobId">An unfinished job.</param>
    /// <param name="failure">Why it could not run to its end; null if its last chunk is applied.</param>
    /// <param name="now">The time.</param>
    internal static DateTimeOffset End(SqliteSession session, Guid companyId, Guid jobId, JobFailure? failure, DateTimeOffset now)
    {
        using var end = session.Use("""
            UPDATE jobs SET updated_at = max(updated_at, ?3), end_time = max(updated_at, ?3), failure_code = ?4, failure = ?5
            WHERE company_id = ?1 AND id = ?2 AND end_time IS NULL
            RETURNING end_time, created_at
            """);
        end.Bind(1, companyId).Bind(2, jobId).Bind(3, StoredTime.From(now)).BindOrNull(4, failure?.Code).BindOrNull(5, failure?.Message);
        if (!end.Read())
            throw new InvalidOperationException($"Job {jobId} is ended twice.");
        if (failure is not null)
            MarkRows.Insert(session, companyId, JobMarks.Failed, StoredTime.To(end.Int64(1)), jobId);
        return StoredTime.To(end.Int64(0));
    }
}
