namespace ApiJobs.Storage;

/// <summary>A worker's time-limited claim on a lane: one company's queue.</summary>
/// <remarks>
/// A lease decides who should work. It is never what makes a result right: that is the cursor, which moves only in
/// the transaction that applies the chunk.
/// </remarks>
/// <param name="CompanyId">The lane's company.</param>
/// <param name="Lane">The lane's name; empty is the company's main lane.</param>
/// <param name="Token">Unique to this claim: a later claim of the same lane has another.</param>
/// <param name="Faults">How many times in a row the lane was given back with a fault.</param>
public sealed record LaneLease(Guid CompanyId, string Lane, Guid Token, int Faults = 0)
{
    /// <summary>The node whose lease had run out when the lane was claimed; null if the lane had been given back.</summary>
    public string? TakenFrom { get; init; }

    /// <summary>The longest that a lease may be claimed or renewed for: one that seems to last longer was made by a clock that has been set back, and is none.</summary>
    public static TimeSpan Longest { get; } = TimeSpan.FromHours(1);

    /// <summary>How much of a turn the holder used, from 0 to 1, said when it gives the lane back: the less, the sooner is the lane's next turn.</summary>
    public double TurnUsed { get; init => field = Math.Clamp(value, LeastTurnUsed, 1); } = 1;

    // Not nothing: a lane whose turns cost nothing would have all of them.
    private const double LeastTurnUsed = 0.01;
}

/// <summary>Why a lane cannot go on now. The lane's, never the worker's: that goes straight on to other lanes.</summary>
/// <param name="Message">What happened, for operators; a store keeps its first kilobyte.</param>
/// <param name="Pause">How long the lane is left alone, from its release on.</param>
public sealed record LaneFault(string Message, TimeSpan Pause)
{
    /// <summary>What the log of the lane's first unfinished job is told; null for nothing. Left out if somebody else is changing that job just now.</summary>
    public Jobs.JobLogEntry? Log { get; init; }
}
