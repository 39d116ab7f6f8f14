namespace ApiJobs.Jobs;

/// <summary>The stored part of a job's message: whole entries in input order, joined by nothing.</summary>
/// <param name="Text">The entries.</param>
/// <param name="EntryCount">How many entries <paramref name="Text"/> holds.</param>
/// <remarks>
/// Once an entry did not fit, no later one is added: so the message is closed exactly when the job has more
/// records that were not effected than the message has entries, and needs no flag to say so.
/// </remarks>
public sealed record JobMessage(string Text, long EntryCount)
{
    /// <summary>A message without entries.</summary>
    public static JobMessage Empty { get; } = new("", 0);
}
