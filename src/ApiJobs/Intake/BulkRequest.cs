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

    /// <summary>What tells the request from another one under the same <see cref="JobOrigin.IdempotencyKey"/>; null without a key.</summary>
    public ReadFingerprint? Fingerprint { get; init; }

    /// <summary>How many of the records may fail before the job is given up; null for any number.</summary>
    public FailureBound? MaxFailed { get; init; }
}

/// <summary>Reads what is left of a request's body, and gives what tells the request from another one under the same idempotency key.</summary>
/// <remarks>Called once: after the last record, or before the first one when the key is taken already.</remarks>
/// <returns>The same bytes for the same request.</returns>
public delegate ValueTask<ReadOnlyMemory<byte>> ReadFingerprint(CancellationToken cancellationToken);
