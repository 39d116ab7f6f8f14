using System.ComponentModel.DataAnnotations;

namespace ApiJobs.Processing;

/// <summary>How long what ended is kept. Configuration section <c>Retention</c>.</summary>
/// <remarks>Nothing is removed unless a time is given: the records are what an answer to "what happened to mine?" is made from.</remarks>
public sealed class RetentionOptions : IValidatableObject
{
    private static readonly TimeSpan LongestKept = TimeSpan.FromDays(36_500), LongestInterval = TimeSpan.FromDays(30);

    /// <summary>How long a job's records and what happened to each are kept after its end, such as <c>30.00:00:00</c> for thirty days; not given: as long as the job.</summary>
    public TimeSpan? Records { get; set; }

    /// <summary>How long the job itself is kept after its end, with its counts and its message; not given: for ever. A node that was asked for it may show it for ten minutes more.</summary>
    public TimeSpan? Jobs { get; set; }

    /// <summary>How often this is seen to. One hour unless configured.</summary>
    public TimeSpan Interval { get; set; } = TimeSpan.FromHours(1);

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Records < TimeSpan.Zero || Jobs < TimeSpan.Zero || Records > LongestKept || Jobs > LongestKept)
            yield return new("Retention:Records and Retention:Jobs must be from 0 to 36500 days; leave them out to keep everything.", [nameof(Records), nameof(Jobs)]);
        if (Records > Jobs)
            yield return new("Retention:Records cannot be longer than Retention:Jobs: without its job, nobody can ask for a record.", [nameof(Records)]);
        if (Interval <= TimeSpan.Zero || Interval > LongestInterval)
            yield return new("Retention:Interval must be longer than nothing and at most 30 days.", [nameof(Interval)]);
    }
}
