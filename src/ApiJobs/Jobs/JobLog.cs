using ApiJobs.Records;

namespace ApiJobs.Jobs;

/// <summary>Something out of the ordinary that happened to a job; stored in the transaction in which it happens.</summary>
/// <remarks>Both texts are made showable and bounded where they are given. Whoever may read the job may read them: what an exception said is not for them.</remarks>
/// <param name="Event">A stable, snake_case name, one of <see cref="JobLogEvents"/>.</param>
/// <param name="Detail">A sentence for people.</param>
public sealed record JobLogEntry(string Event, string Detail)
{
    /// <summary>The longest <see cref="Detail"/> that is kept, in characters.</summary>
    public const int MaxDetailLength = 300;

    /// <summary>The most entries a log shows.</summary>
    public const int MaxShown = 200;

    /// <summary>The most entries that are stored of what may happen again and again; the last of them says that there were more.</summary>
    /// <remarks>The rest of <see cref="MaxShown"/> is for what is told from the job itself, and for what happens once (<see cref="IsOnce"/>).</remarks>
    public const int MaxStored = 190;

    /// <summary>A stable, snake_case name.</summary>
    public string Event { get; } = ShowableText.Of(Event, JobFailure.MaxCodeLength);

    /// <summary>A sentence for people.</summary>
    public string Detail { get; } = ShowableText.Of(Detail, MaxDetailLength);

    /// <summary>Whether it can happen to a job once only: then it is stored however many other entries there are.</summary>
    public bool IsOnce { get; init; }

    /// <summary>What stands for all that a full log does not keep.</summary>
    public static JobLogEntry More { get; } = new(JobLogEvents.More, "More of this kind happened after it; the log keeps no more.");
}

/// <summary>The names of what a job's log tells.</summary>
public static class JobLogEvents
{
    /// <summary>The request was accepted.</summary>
    public const string Accepted = "accepted";

    /// <summary>Work on the job began.</summary>
    public const string Begun = "begun";

    /// <summary>The job ended.</summary>
    public const string Ended = "ended";

    /// <summary>The job's lane could not go on, and was left alone for a while.</summary>
    public const string LaneIll = "lane_ill";

    /// <summary>Somebody's lease on the lane had run out, and another worker went on.</summary>
    public const string TakenOver = "taken_over";

    /// <summary>Records that were tried together were rolled back, and tried again in smaller groups.</summary>
    public const string GroupIsolated = "group_isolated";

    /// <summary>A record crashed the code that handles it, and was given up.</summary>
    public const string RecordGivenUp = "record_given_up";

    /// <summary>The log is full.</summary>
    public const string More = "more";

    /// <summary>Another job was made of the records that failed.</summary>
    public const string RetriedAs = "retried_as";

    /// <summary>The real job was made of this rehearsal.</summary>
    public const string PromotedAs = "promoted_as";
}

/// <summary>An entry of a job's log, and when it happened.</summary>
/// <param name="Time">When, UTC, by the store's clock.</param>
/// <param name="Event">What; one of <see cref="JobLogEvents"/>.</param>
/// <param name="Detail">A sentence for people.</param>
public sealed record JobLogLine(DateTimeOffset Time, string Event, string Detail);
