namespace ApiJobs.Jobs;

/// <summary>How an unfinished job gets on; all of it is null for a job that has ended.</summary>
/// <param name="RecordsPerSecond">How many of its records were processed each second since work on it began; null until there are some.</param>
/// <param name="EstimatedEndTime">When it may end, UTC, if nothing changes; null while other jobs of its lane come first.</param>
/// <param name="Position">How many unfinished jobs of its lane come first; 0 for the one that is being processed, or will be next.</param>
public sealed record ProgressEstimate(double? RecordsPerSecond, DateTimeOffset? EstimatedEndTime, long? Position)
{
    /// <summary>What is said of a job that has ended.</summary>
    public static ProgressEstimate Ended { get; } = new(null, null, null);
}
