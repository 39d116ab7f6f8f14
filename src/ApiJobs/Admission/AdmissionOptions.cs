using System.ComponentModel.DataAnnotations;

namespace ApiJobs.Admission;

/// <summary>What one caller, one company and all together may take of a server, so that none can take it from the others. Configuration section <c>Limits</c>.</summary>
/// <remarks>0 is no limit. Requests and open uploads are counted by each node for itself; what is queued is counted in the store, by all nodes together.</remarks>
public sealed class AdmissionOptions
{
    /// <summary>How many requests a second one client may send for as long as it likes; more get 429. 0 for any number.</summary>
    [Range(0, 1_000_000)]
    public int RequestsPerSecondPerClient { get; set; } = 1_000;

    /// <summary>How many requests a client that was quiet may send at once. Without a limit per second it has no meaning.</summary>
    [Range(1, 10_000_000)]
    public int RequestBurstPerClient { get; set; } = 2_000;

    /// <summary>How many requests a second all clients of a company together may send for as long as they like; more get 429. 0 for any number.</summary>
    [Range(0, 1_000_000)]
    public int RequestsPerSecondPerCompany { get; set; } = 5_000;

    /// <summary>How many requests the clients of a company that was quiet may send at once. Without a limit per second it has no meaning.</summary>
    [Range(1, 10_000_000)]
    public int RequestBurstPerCompany { get; set; } = 10_000;

    /// <summary>How many bulk requests of a company may be on their way into the server at the same time; more get 429. 0 for any number.</summary>
    [Range(0, 1_000_000)]
    public int OpenUploadsPerCompany { get; set; } = 1_024;

    /// <summary>How many bulk requests of all companies may be on their way into the server at the same time; more get 503. 0 for any number.</summary>
    [Range(0, 1_000_000)]
    public int OpenUploads { get; set; } = 4_096;

    /// <summary>How many records a company's unfinished jobs may have together; a request that brings more gets 429, one that has more by itself 413. 0 for any number.</summary>
    [Range(typeof(long), "0", "1000000000000")]
    public long QueuedRecordsPerCompany { get; set; } = 100_000_000;

    /// <summary>How many bytes the records of a company's unfinished jobs may take together; a request that brings more gets 429, one that has more by itself 413. 0 for any number.</summary>
    [Range(typeof(long), "0", "1125899906842624")]
    public long QueuedBytesPerCompany { get; set; } = 64L << 30;

    /// <summary>How many records the unfinished jobs of all companies may have together; a request that brings more gets 503. 0 for any number.</summary>
    [Range(typeof(long), "0", "1000000000000")]
    public long QueuedRecords { get; set; } = 1_000_000_000;

    /// <summary>How many bytes the records of the unfinished jobs of all companies may take together; a request that brings more gets 503. 0 for any number.</summary>
    [Range(typeof(long), "0", "1125899906842624")]
    public long QueuedBytes { get; set; } = 256L << 30;
}
