namespace ApiJobs.Intake;

/// <summary>Why a request that would make or change a job was refused, as a whole; nothing of it remains.</summary>
/// <param name="Code">A stable, snake_case name, one of <see cref="RequestFaultCodes"/>.</param>
/// <param name="Detail">A sentence for people: what is wrong, where, the limit, the next step.</param>
public sealed record RequestFault(string Code, string Detail)
{
    /// <summary>The zero-based offset in the (decompressed) body of the byte at fault, where one can be named.</summary>
    public long? ByteOffset { get; init; }

    /// <summary>The zero-based index of the record at fault, where there is one.</summary>
    public long? RecordIndex { get; init; }

    /// <summary>When the same request can be sent again, where waiting is all that it needs.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The one-based line at fault, in formats that have lines.</summary>
    public long? Line { get; init; }

    /// <summary>The job that was made already, where a second one was asked for.</summary>
    public Guid? ChildId { get; init; }
}

/// <summary>Ends a request that cannot be accepted.</summary>
public sealed class RequestFaultException : Exception
{
    /// <summary>Makes the exception of a fault.</summary>
    public RequestFaultException(RequestFault fault) : base(fault?.Detail) => Fault = fault ?? throw new ArgumentNullException(nameof(fault));

    /// <summary>Makes the exception of a fault that another exception revealed.</summary>
    public RequestFaultException(RequestFault fault, Exception innerException) : base(fault?.Detail, innerException) =>
        Fault = fault ?? throw new ArgumentNullException(nameof(fault));

    /// <summary>What is wrong with the request.</summary>
    public RequestFault Fault { get; }
}

/// <summary>The stable codes of faults that refuse a whole request. Integrators branch on them; they never change meaning.</summary>
public static class RequestFaultCodes
{
    /// <summary>The body is not well-formed in its format: a syntax error, or it ends too early, or goes on after its end.</summary>
    public const string MalformedBody = "malformed_body";

    /// <summary>The body is not valid UTF-8.</summary>
    public const string InvalidUtf8 = "invalid_utf8";

    /// <summary>The body nests deeper than allowed.</summary>
    public const string TooDeep = "too_deep";

    /// <summary>The body is well-formed, but not a list of records; or its header has columns that are no fields, or lacks the one that rows are found by.</summary>
    public const string WrongShape = "wrong_shape";

    /// <summary>An element of the list is not an object.</summary>
    public const string RecordNotObject = "record_not_object";

    /// <summary>The list has no records.</summary>
    public const string NoRecords = "no_records";

    /// <summary>One record is larger than allowed.</summary>
    public const string RecordTooLarge = "record_too_large";

    /// <summary>The body, or what it decompresses to, is larger than allowed.</summary>
    public const string BodyTooLarge = "body_too_large";

    /// <summary>The request has more records than allowed.</summary>
    public const string TooManyRecords = "too_many_records";

    /// <summary>The body is not what its Content-Encoding says.</summary>
    public const string InvalidEncoding = "invalid_encoding";

    /// <summary>A query parameter or header has a value that is not allowed.</summary>
    public const string InvalidParameter = "invalid_parameter";

    /// <summary>The operation cannot be rehearsed.</summary>
    public const string NotRehearsable = "not_rehearsable";

    /// <summary>The upload took so long that its parts were swept away.</summary>
    public const string UploadExpired = "upload_expired";

    /// <summary>The company has as much queued as it may; what has ended makes room.</summary>
    public const string QueueFull = "queue_full";

    /// <summary>All companies together have as much queued as the server takes.</summary>
    public const string ServerBusy = "server_busy";

    /// <summary>The idempotency key was used for another request before.</summary>
    public const string IdempotencyKeyReused = "idempotency_key_reused";

    /// <summary>The job has ended, and cannot be cancelled any more.</summary>
    public const string AlreadyEnded = "already_ended";

    /// <summary>The job has not ended, and cannot be retried or promoted yet.</summary>
    public const string NotEnded = "not_ended";

    /// <summary>No record of the job failed or stayed unprocessed.</summary>
    public const string NothingToRetry = "nothing_to_retry";

    /// <summary>The job was retried before.</summary>
    public const string AlreadyRetried = "already_retried";

    /// <summary>The job is no rehearsal.</summary>
    public const string NotARehearsal = "not_a_rehearsal";

    /// <summary>The rehearsal was promoted before.</summary>
    public const string AlreadyPromoted = "already_promoted";

    /// <summary>The job's operation is not offered any more.</summary>
    public const string UnknownOperation = "unknown_operation";
}
