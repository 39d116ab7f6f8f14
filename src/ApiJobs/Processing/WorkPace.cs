using ApiJobs.Jobs;

namespace ApiJobs.Processing;

/// <summary>How fast this process's workers apply records; what <c>Retry-After</c> is computed from.</summary>
public sealed class WorkPace
{
    // A year: what is further away is not known.
    private const double MaxEstimateSeconds = 365 * 24 * 3_600;

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
    internal TimeSpan EstimateFor(long records) => Bounded(records / Math.Max(Volatile.Read(ref _recordsPerSecond), 1));

    /// <summary>Estimates how long an unfinished job will still take.</summary>
    /// <returns>1 to 600 seconds.</returns>
    public TimeSpan EstimateRemaining(ApiJob job, DateTimeOffset now) => Bounded(RemainingSeconds(job, now));

    /// <summary>Estimates how an unfinished job gets on.</summary>
    /// <param name="job">The job, as read just now.</param>
    /// <param name="position">How many jobs of its lane come first.</param>
    /// <param name="now">The time.</param>
    public ProgressEstimate Estimate(ApiJob job, long position, DateTimeOffset now) => new(
        JobsOwn(job, now), position > 0 ? null : now + TimeSpan.FromSeconds(Math.Min(RemainingSeconds(job, now), MaxEstimateSeconds)), position);

    private double RemainingSeconds(ApiJob job, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(job);
        return job.Unprocessed / Math.Max(JobsOwn(job, now) ?? Volatile.Read(ref _recordsPerSecond), 1);
    }

    private static TimeSpan Bounded(double seconds) => TimeSpan.FromSeconds(Math.Clamp(Math.Ceiling(seconds), 1, 600));

    private static double? JobsOwn(ApiJob job, DateTimeOffset now) =>
        job.StartTime is { } start && job.Counts.Processed > 0 && now > start ? job.Counts.Processed / (now - start).TotalSeconds : null;
}
