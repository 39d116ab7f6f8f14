using System.Globalization;
using ApiJobs.Jobs;

namespace ApiJobs.AspNetCore.Jobs;

/// <summary>When to ask for a job again.</summary>
internal static class RetryAfterHeader
{
    /// <summary>The header: whole seconds, rounded up, at least 1.</summary>
    public static (string Name, string Value) Of(TimeSpan time) =>
        ("Retry-After", Math.Max(1, (long)Math.Ceiling(time.TotalSeconds)).ToString(CultureInfo.InvariantCulture));

    /// <summary>The header's value: whole seconds, 1 to 600; null for a job that has ended, which leaves the header out.</summary>
    public static string? RetryAfter(this ApiJobEngine engine, ApiJob job) =>
        job.HasEnded ? null : ((int)engine.EstimateRemaining(job).TotalSeconds).ToString(CultureInfo.InvariantCulture);
}
