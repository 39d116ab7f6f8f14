using System.ComponentModel.DataAnnotations;

namespace ApiJobs.Processing;

/// <summary>How this process works on jobs. Configuration section <c>Worker</c>.</summary>
public sealed class WorkerOptions
{
    /// <summary>Whether this process works on jobs at all; false makes an API-only node.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>What this process calls itself to operators: shown as the holder of the lanes it serves. The machine's name and the process id unless configured.</summary>
    [StringLength(200)]
    public string NodeName { get; set; } = "";

    /// <summary>How many lanes are served at once.</summary>
    [Range(1, 256)]
    public int Slots { get; set; } = 2;

    /// <summary>How long a lane is served before the others get their turn.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:01:00")]
    public TimeSpan Slice { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>How long a claim on a lane lasts unless renewed: how long a dead node's lanes wait at the most.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "01:00:00")]
    public TimeSpan Lease { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>How long a worker that found no work waits before it looks again by itself, without a signal.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:10:00")]
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>The most records applied in one transaction.</summary>
    [Range(1, 100_000)]
    public int MaxRecordsPerTransaction { get; set; } = 10_000;

    /// <summary>The bound of a job's message, in bytes of UTF-8.</summary>
    [Range(1_024, 1 << 20)]
    public int MaxMessageBytes { get; set; } = 64 * 1024;

    /// <summary>The name to show.</summary>
    internal string ShownNodeName => NodeName.Length > 0 ? NodeName : $"{Environment.MachineName}:{Environment.ProcessId}";
}
