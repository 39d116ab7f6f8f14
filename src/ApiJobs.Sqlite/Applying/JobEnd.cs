using ApiJobs.Jobs;
using ApiJobs.Sqlite.Lanes;
using ApiJobs.Sqlite.Session;
using ApiJobs.Storage;

namespace ApiJobs.Sqlite.Applying;

/// <summary>The one step that ends jobs, whatever ends them: sets the end and its reason, and lets the lane go on. Runs inside the writer's transaction.</summary>
internal static class JobEnd
{
    /// <summary>Ends unfinished jobs of one lane.</summary>
    /// <param name="connection">The writer's connection.</param>
    /// <param name="companyId">The company.</param>
    /// <param name="lane">The lane.</param>
    /// <param name="jobIds">At least one job that has not ended.</param>
    /// <param name="failure">Why they end early; null if their last chunks are applied, which the schema insists on.</param>
    /// <param name="now">The time of the end.</param>
    /// <returns>Where the lane stands since.</returns>
    internal static LanePositions End(
        PreparedConnection connection, Guid companyId, string lane, IEnumerable<Guid> jobIds, JobFailure? failure, DateTimeOffset now)
    {
        var end = connection.Use("""
            UPDATE jobs SET end_time = ?3, updated_at = ?3, failure_code = ?4, failure = ?5
            WHERE company_id = ?1 AND id = ?2 AND end_time IS NULL
            """);
        end.Bind(1, companyId).Bind(3, StoredTime.From(now)).BindOrNull(4, failure?.Code).BindOrNull(5, failure?.Message);
        foreach (var jobId in jobIds)
        {
            if (end.Bind(2, jobId).Run() != 1)
                throw new InvalidOperationException($"Job {jobId} is to be ended, but it has ended, or is not there.");
        }

        return LaneRows.MoveHead(connection, companyId, lane, now);
    }

    /// <summary>Ends a job that cannot run to its end, unless it has ended.</summary>
    internal static (EndResult Result, string Lane, LanePositions? Positions) EndFailed(
        PreparedConnection connection, Guid companyId, Guid jobId, JobFailure failure, DateTimeOffset now)
    {
        string lane;
        using (var find = connection.Use("SELECT lane, end_time FROM jobs WHERE company_id = ?1 AND id = ?2"))
        {
            if (!find.Bind(1, companyId).Bind(2, jobId).Read())
                return (EndResult.Unknown, "", null);
            lane = find.Text(0);
            if (!find.IsNull(1))
                return (EndResult.HadEnded, lane, null);
        }

        return (EndResult.Ended, lane, End(connection, companyId, lane, [jobId], failure, now));
    }
}
