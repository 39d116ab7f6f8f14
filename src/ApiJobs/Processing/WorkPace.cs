using ApiJobs.Jobs;

namespace ApiJobs.Processing;

/// <summary>How fast this process's workers apply records; what <c>Retry-After</c> is computed from.</summary>
public sealed class WorkPace
{
    // Until something was measured: a modest machine's pace, so that the first answers are not far off.
    private double _recordsPerSecond = 10_000;

    /// <summary>Takes note of work that was done.</summary>
    public void Observe(long records, TimeSpan elapsed)
    {
        if (elapsed <= TimeSpan.Zero)
            return;
        var observed = records / elapsed.TotalSeconds;
        // A moving average over about ten slices. A lost update between two workers costs nothing.
        Volatile.Write(ref _recordsPerSecond, Volatile.Read(ref _recordsPerSecond) * 0.9 + observed * 0.1);
    }

    /// <summary>Estimates how long this process takes for some records.</summary>
    /// <returns>1 to 600 seconds.</returns>
    internal TimeSpan EstimateFor(long records) => Estimate(records, Volatile.Read(ref _recordsPerSecond));

    /// <summary>Estimates how long an unfinished job will still take.</summary>
    /// <returns>1 to 600 seconds.</returns>
    public TimeSpan EstimateRemaining(ApiJob job, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(job);
        var recordsPerSecond = Volatile.Read(ref _recordsPerSecond);
        if (job.StartTime is { } start && job.Counts.Processed > 0 && now > start)
            recordsPerSecond = job.Counts.Processed / (now - start).TotalSeconds;
        return Estimate(job.Unprocessed, recordsPerSecond);
    }

    private static TimeSpan Estimate(long records, double recordsPerSecond) =>
        TimeSpan.FromSeconds(Math.Clamp(Math.Ceiling(records / Math.Max(recordsPerSecond, 1)), 1, 600));
}
