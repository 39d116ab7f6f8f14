using System.ComponentModel.DataAnnotations;

namespace ApiJobs.Processing;

/// <summary>How long what ended is kept. Configuration section <c>Retention</c>.</summary>
/// <remarks>Nothing is removed unless a time is given: the records are what an answer to "what happened to mine?" is made from.</remarks>
public sealed class RetentionOptions : IValidatableObject
{
    /// <summary>How long a job's records and what happened to each are kept after its end, such as <c>30.00:00:00</c> for thirty days; not given: as long as the job.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "36500.00:00:00")]
    public TimeSpan? Records { get; set; }

    /// <summary>How long the job itself is kept after its end, with its counts and its message; not given: for ever. A node that was asked for it may show it for ten minutes more.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "36500.00:00:00")]
    public TimeSpan? Jobs { get; set; }

    /// <summary>How often this is seen to. One hour unless configured.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "30.00:00:00")]
    public TimeSpan Interval { get; set; } = TimeSpan.FromHours(1);

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Records > Jobs)
            yield return new("Retention:Records cannot be longer than Retention:Jobs: without its job, nobody can ask for a record.", [nameof(Records)]);
    }
}
