namespace ApiJobs.Processing;

/// <summary>How long to leave alone what has failed: from 50 ms doubling to 5 s.</summary>
internal static class Backoff
{
    private const double FirstMilliseconds = 50, LongestMilliseconds = 5_000;

    /// <summary>The pause after so many faults in a row, from 1.</summary>
    public static TimeSpan After(int faults)
    {
        var milliseconds = Math.Min(FirstMilliseconds * Math.Pow(2, Math.Min(faults - 1, 10)), LongestMilliseconds);
        // The jitter keeps the workers of many nodes from returning in step.
#pragma warning disable CA5394 // Jitter needs no secrecy.
        return TimeSpan.FromMilliseconds(milliseconds * (0.5 + Random.Shared.NextDouble() * 0.5));
#pragma warning restore CA5394
    }
}
