namespace ApiJobs.Jobs;

/// <summary>Why a job could not run to its end.</summary>
/// <param name="Code">A stable, snake_case name: <c>cancelled</c>.</param>
/// <param name="Message">A sentence for people; the last line of the job's message.</param>
public sealed record JobFailure(string Code, string Message);
