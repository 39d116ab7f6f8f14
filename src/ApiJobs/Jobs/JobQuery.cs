using ApiJobs.Records;

namespace ApiJobs.Jobs;

/// <summary>Which jobs of a company to list: those that all filters given let through, newest first.</summary>
public sealed record JobQuery
{
    /// <summary>Only jobs with this status; null for any.</summary>
    public ApiJobStatus? Status { get; init; }

    /// <summary>Only jobs of this type; null for any.</summary>
    public string? Type { get; init; }

    /// <summary>Only jobs accepted at this time or later; null for any time.</summary>
    public DateTimeOffset? CreatedAfter { get; init; }

    /// <summary>Only jobs accepted before this time; null for any time.</summary>
    public DateTimeOffset? CreatedBefore { get; init; }

    /// <summary>Only jobs that this client sent; null for any.</summary>
    public string? ClientId { get; init => field = value is null ? null : ShowableText.Of(value, JobOrigin.MaxTextLength); }

    /// <summary>Only jobs that go on from this one; null for any.</summary>
    public Guid? ParentId { get; init; }

    /// <summary>Only jobs of which a record has failed so far, or only those of which none has; null for both.</summary>
    public bool? HasFailed { get; init; }

    /// <summary>Only rehearsals, or only others; null for both.</summary>
    public bool? DryRun { get; init; }

    /// <summary>The place to read on from, as <see cref="JobPage.Next"/> gave it; null for the newest job.</summary>
    public JobPlace? After { get; init; }

    /// <summary>The most jobs to give; at least 1.</summary>
    public int Limit { get; init; } = 25;

    /// <summary>Whether the filters on a job's own state and origin let it through; those on its time are not among them.</summary>
    public bool Matches(ApiJob job)
    {
        ArgumentNullException.ThrowIfNull(job);
        return (Status is null || Status == job.Status)
            && (Type is null || Type == job.Type)
            && (ClientId is null || ClientId == job.Origin.ClientId)
            && (ParentId is null || ParentId == job.Origin.ParentId)
            && (HasFailed is null || HasFailed == job.Counts.Failed > 0)
            && (DryRun is null || DryRun == job.Options.DryRun);
    }
}

/// <summary>A job's place among all of its company's: newer ones come first, and of the same time those with the greater id.</summary>
/// <param name="CreatedAt">When the job was accepted.</param>
/// <param name="Id">The job's id.</param>
public readonly record struct JobPlace(DateTimeOffset CreatedAt, Guid Id);

/// <summary>Some jobs of a company, newest first.</summary>
/// <param name="Jobs">The jobs; there may be fewer than asked for, or none, although there are more to come.</param>
/// <param name="Next">Where to read on; null if there is nothing older that could match.</param>
public sealed record JobPage(IReadOnlyList<ListedJob> Jobs, JobPlace? Next)
{
    /// <summary>The most jobs that are looked at for one page, so that a rare filter does not make one request read them all.</summary>
    public const int MaxLookedAt = 2_000;
}

/// <summary>A job in a list.</summary>
/// <param name="Job">The job.</param>
/// <param name="MessageStart">The beginning of its message's entries, of the same moment: all of them, or at least <see cref="MessageBytes"/> + 1 bytes, cut anywhere.</param>
public sealed record ListedJob(ApiJob Job, string MessageStart)
{
    /// <summary>How many bytes of its entries, in UTF-8, a job in a list shows at the most.</summary>
    public const int MessageBytes = 1_024;

    /// <summary>How many of a job's chunks hold more of the message than that, if each adds an entry: the shortest entry has 100 bytes.</summary>
    public const int MessageChunks = 11;
}
