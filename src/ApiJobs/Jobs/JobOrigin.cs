using ApiJobs.Records;

namespace ApiJobs.Jobs;

/// <summary>Who asked for a job and how. It says nothing of what the job does, so jobs of different origins may share a transaction.</summary>
public sealed record JobOrigin
{
    /// <summary>The longest client id and idempotency key that are kept, in characters.</summary>
    public const int MaxTextLength = 255;

    /// <summary>The origin of a job about which nothing is known.</summary>
    public static JobOrigin Unknown { get; } = new();

    /// <summary>The client that sent the request; null if callers are not told apart. Made showable and bounded: a token's issuer says what is in it.</summary>
    public string? ClientId { get; init => field = value is null ? null : ShowableText.Of(value, MaxTextLength); }

    /// <summary>The job that this one goes on from; null if there is none.</summary>
    public Guid? ParentId { get; init; }

    /// <summary>The key under which the client may send the same request again and get the same job; null if it sent none.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>The trace that the request belongs to, as W3C Trace Context's <c>traceparent</c>; null if it is not traced.</summary>
    public string? TraceParent { get; init; }
}
