namespace ApiJobs.Storage;

/// <summary>A worker's time-limited claim on a lane: one company's queue.</summary>
/// <remarks>
/// A lease decides who should work. It is never what makes a result right: that is the cursor, which moves only in
/// the transaction that applies the chunk.
/// </remarks>
/// <param name="CompanyId">The lane's company.</param>
/// <param name="Lane">The lane's name; empty is the company's main lane.</param>
/// <param name="Token">Unique to this claim: a later claim of the same lane has another.</param>
public sealed record LaneLease(Guid CompanyId, string Lane, Guid Token);
