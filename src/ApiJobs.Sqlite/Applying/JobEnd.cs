using ApiJobs.Jobs;
using ApiJobs.Sqlite.Accepting;
using ApiJobs.Sqlite.Asking;
using ApiJobs.Sqlite.Connections;
using ApiJobs.Sqlite.Lanes;
using ApiJobs.Storage;

namespace ApiJobs.Sqlite.Applying;

/// <summary>What came of ending a job, and where its lane stands since.</summary>
internal sealed record Ending(EndResult Result, string LaneName = "", LanePositions? Lane = null);

/// <summary>Ends jobs otherwise than by their last chunk. Runs inside the writer's transaction.</summary>
internal static class JobEnd
{
    internal static Ending Fail(SqliteSession session, Guid companyId, Guid jobId, JobFailure failure, KeyedRequest? request, DateTimeOffset now)
    {
        if (JobRows.Find(session, companyId, jobId) is not { } job)
            return new(EndResult.Unknown);
        if (job.HasEnded)
            return new(EndResult.HadEnded);
        if (request is not null && KeyRows.Find(session, companyId, request.ClientId, request.Key) is not null)
            return new(EndResult.KeyTaken);
        if (request is not null)
            KeyRows.Insert(session, companyId, jobId, request);
        if (JobProgress.Advance(session, job, default, messageEntries: 0, messageBytes: 0, ends: true, failure, now) is null)
            throw new InvalidOperationException($"Job {jobId} is ended twice.");
        return new(EndResult.Ended, job.Lane, LaneRows.MoveHead(session, companyId, job.Lane, new(job.TotalRecords, job.TotalBytes), now));
    }
}
