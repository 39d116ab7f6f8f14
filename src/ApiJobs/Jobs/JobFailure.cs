using System.Globalization;
using ApiJobs.Records;

namespace ApiJobs.Jobs;

/// <summary>Why a job could not run to its end.</summary>
/// <remarks>Both texts are made showable and bounded where they are given: they may hold what an exception said, and must never keep a job from ending.</remarks>
/// <param name="Code">A stable, snake_case name: <c>cancelled</c>.</param>
/// <param name="Message">A sentence for people; the last line of the job's message.</param>
public sealed record JobFailure(string Code, string Message)
{
    // Room for the sentence around it.
    private const int MaxClientLength = 60;

    /// <summary>The failure of a job that its company has cancelled.</summary>
    /// <param name="clientId">Who asked for it; null if callers are not told apart.</param>
    public static JobFailure Cancelled(string? clientId) =>
        new("cancelled", clientId is null ? "The job was cancelled." : $"The job was cancelled by client {ShowableText.Of(clientId, MaxClientLength)}.");

    /// <summary>The failure of a job of which more records failed than its request allowed.</summary>
    /// <param name="failed">How many failed.</param>
    /// <param name="maxFailed">How many might.</param>
    public static JobFailure TooManyFailures(long failed, long maxFailed) => new("too_many_failures", string.Create(
        CultureInfo.InvariantCulture, $"{failed} records failed, of which max_failed allows {maxFailed}; the job was given up."));

    /// <summary>The longest <see cref="Code"/> that is kept, in characters.</summary>
    public const int MaxCodeLength = 64;

    /// <summary>The longest <see cref="Message"/> that is kept, in characters: a job's message reserves room for it.</summary>
    public const int MaxMessageLength = 120;

    /// <summary>A stable, snake_case name: <c>cancelled</c>.</summary>
    public string Code { get; } = ShowableText.Of(Code, MaxCodeLength);

    /// <summary>A sentence for people; the last line of the job's message.</summary>
    public string Message { get; } = ShowableText.Of(Message, MaxMessageLength);
}
