namespace ApiJobs.Jobs;

/// <summary>A job's log: what its own times tell, and between them what was stored because it was out of the ordinary.</summary>
internal static class JobLogLines
{
    /// <summary>Tells what happened to a job, oldest first.</summary>
    /// <param name="job">The job.</param>
    /// <param name="stored">What was stored of it, in order; read after the job, so some of it may be of later.</param>
    public static IReadOnlyList<JobLogLine> Of(ApiJob job, IReadOnlyList<JobLogLine> stored)
    {
        List<JobLogLine> lines = [new(job.CreatedAt, JobLogEvents.Accepted, Accepted(job))];
        // What is stored comes after the begin and before the end of the same moment: it was written in the same transactions.
        var untold = new Queue<JobLogLine>(stored);
        if (job.StartTime is { } start)
        {
            TakeWhile(line => line.Time < start);
            lines.Add(new(start, JobLogEvents.Begun, "Work on the job began."));
        }

        if (job.EndTime is { } end)
        {
            TakeWhile(line => line.Time <= end);
            lines.Add(new(end, JobLogEvents.Ended, Ended(job)));
        }

        TakeWhile(_ => true);
        return lines;

        void TakeWhile(Func<JobLogLine, bool> isNext)
        {
            while (untold.TryPeek(out var line) && isNext(line))
                lines.Add(untold.Dequeue());
        }
    }

    /// <summary>Tells which job goes on from another one.</summary>
    public static JobLogLine GoesOnAs(JobDescent descent, ApiJob child) => descent == JobDescent.Retry
        ? new(child.CreatedAt, JobLogEvents.RetriedAs, $"What had failed or was not processed was accepted again, as job {child.Id}.")
        : new(child.CreatedAt, JobLogEvents.PromotedAs, $"What was rehearsed was accepted for good, as job {child.Id}.");

    private static string Accepted(ApiJob job) => $"{Records(job.TotalRecords)} accepted.";

    private static string Ended(ApiJob job) => job.Failure is { } failure
        ? $"failed: {failure.Code}. {failure.Message}"
        : $"completed: {job.Counts.Effected} of {Records(job.TotalRecords)} effected.";

    private static string Records(long count) => count == 1 ? "1 record" : $"{count} records";
}
