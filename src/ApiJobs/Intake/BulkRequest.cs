using ApiJobs.Jobs;
using ApiJobs.Operations;

namespace ApiJobs.Intake;

/// <summary>A bulk request whose caller is known and allowed; its records are still to be read.</summary>
/// <param name="CompanyId">The caller's company.</param>
/// <param name="Operation">What to do with the records.</param>
/// <param name="Options">What the request asked for beyond its type.</param>
public sealed record BulkRequest(Guid CompanyId, BulkOperation Operation, JobOptions Options)
{
    /// <summary>Who asks, and how.</summary>
    public JobOrigin Origin { get; init; } = JobOrigin.Unknown;

    /// <summary>What tells the request from another one under the same idempotency key; empty without a key.</summary>
    public ReadOnlyMemory<byte> Fingerprint { get; init; }
}
