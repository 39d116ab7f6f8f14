using ApiJobs.Records;

namespace ApiJobs.Jobs;

/// <summary>Why a job could not run to its end.</summary>
/// <remarks>Both texts are made showable and bounded where they are given: they may hold what an exception said, and must never keep a job from ending.</remarks>
/// <param name="Code">A stable, snake_case name: <c>cancelled</c>.</param>
/// <param name="Message">A sentence for people; the last line of the job's message.</param>
public sealed record JobFailure(string Code, string Message)
{
    /// <summary>The longest <see cref="Code"/> that is kept, in characters.</summary>
    public const int MaxCodeLength = 64;

    /// <summary>The longest <see cref="Message"/> that is kept, in characters: a job's message reserves room for it.</summary>
    public const int MaxMessageLength = 120;

    /// <summary>A stable, snake_case name: <c>cancelled</c>.</summary>
    public string Code { get; } = ShowableText.Of(Code, MaxCodeLength);

    /// <summary>A sentence for people; the last line of the job's message.</summary>
    public string Message { get; } = ShowableText.Of(Message, MaxMessageLength);
}
