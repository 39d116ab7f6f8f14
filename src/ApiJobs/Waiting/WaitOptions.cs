using System.ComponentModel.DataAnnotations;

namespace ApiJobs.Waiting;

/// <summary>How many may wait for jobs on this node, and how soon they learn what other nodes did. Configuration section <c>Wait</c>.</summary>
public sealed class WaitOptions
{
    /// <summary>The most requests that may wait for a job at once; more are answered at once. None with 0.</summary>
    [Range(0, 1_000_000)]
    public int MaxWaiters { get; set; } = 10_000;

    /// <summary>The most of them that may be one company's.</summary>
    [Range(0, 1_000_000)]
    public int MaxWaitersPerCompany { get; set; } = 1_000;

    /// <summary>How often one query asks for what other nodes did to all the jobs that are waited for here. Not used with SQLite, where there are no other nodes.</summary>
    [Range(typeof(TimeSpan), "00:00:00.050", "00:00:10")]
    public TimeSpan LookInterval { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How long an event stream lasts at the most; its client connects again and misses nothing. A stream also ends with the access token, where its time is known.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan MaxStreamTime { get; set; } = TimeSpan.FromMinutes(15);
}
