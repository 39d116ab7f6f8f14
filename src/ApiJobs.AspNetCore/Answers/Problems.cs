using ApiJobs.AspNetCore.Callers;
using ApiJobs.AspNetCore.Jobs;
using ApiJobs.Intake;
using Microsoft.AspNetCore.Http;

namespace ApiJobs.AspNetCore.Answers;

/// <summary>Every problem that a request can be answered with (RFC 9457). Integrators branch on the codes; they never change meaning.</summary>
internal static class Problems
{
    // Who is calling.
    public static readonly ProblemKind MissingToken = new("missing_token", StatusCodes.Status401Unauthorized, "There is no access token");
    public static readonly ProblemKind MalformedToken = new("malformed_token", StatusCodes.Status401Unauthorized, "The access token is not well-formed");
    public static readonly ProblemKind InvalidToken = new("invalid_token", StatusCodes.Status401Unauthorized, "The access token is not valid");
    public static readonly ProblemKind ExpiredToken = new("expired_token", StatusCodes.Status401Unauthorized, "The access token has expired");
    public static readonly ProblemKind RevokedToken = new("revoked_token", StatusCodes.Status401Unauthorized, "The access token was revoked");
    public static readonly ProblemKind InsufficientScope = new("insufficient_scope", StatusCodes.Status403Forbidden, "A scope is missing");
    public static readonly ProblemKind Forbidden = new("forbidden", StatusCodes.Status403Forbidden, "Not allowed");

    // What is asked for.
    public static readonly ProblemKind NotFound = new("not_found", StatusCodes.Status404NotFound, "Not found");
    public static readonly ProblemKind RecordsRemoved = new("records_removed", StatusCodes.Status410Gone, "The records are no longer kept");
    public static readonly ProblemKind MethodNotAllowed = new("method_not_allowed", StatusCodes.Status405MethodNotAllowed, "Method not allowed");
    public static readonly ProblemKind InvalidParameter = new(RequestFaultCodes.InvalidParameter, StatusCodes.Status400BadRequest, "A parameter is not valid");
    public static readonly ProblemKind NotAcceptable = new("not_acceptable", StatusCodes.Status406NotAcceptable, "The answer cannot have the media type asked for");
    public static readonly ProblemKind TooManyColumns = new("too_many_columns", StatusCodes.Status400BadRequest, "A table of the records would have too many columns");
    public static readonly ProblemKind BadRequest = new("bad_request", StatusCodes.Status400BadRequest, "The request cannot be served");

    // What is sent.
    public static readonly ProblemKind UnsupportedMediaType = new("unsupported_media_type", StatusCodes.Status415UnsupportedMediaType, "The media type is not supported");
    public static readonly ProblemKind InvalidForm = new("invalid_form", StatusCodes.Status400BadRequest, "The form is not one file");
    public static readonly ProblemKind MalformedBody = new(RequestFaultCodes.MalformedBody, StatusCodes.Status400BadRequest, "The body is not well-formed");
    public static readonly ProblemKind InvalidUtf8 = new(RequestFaultCodes.InvalidUtf8, StatusCodes.Status400BadRequest, "The body is not valid UTF-8");
    public static readonly ProblemKind TooDeep = new(RequestFaultCodes.TooDeep, StatusCodes.Status400BadRequest, "The body nests too deep");
    public static readonly ProblemKind WrongShape = new(RequestFaultCodes.WrongShape, StatusCodes.Status400BadRequest, "The body is not a list of records");
    public static readonly ProblemKind RecordNotObject = new(RequestFaultCodes.RecordNotObject, StatusCodes.Status400BadRequest, "A record is not an object");
    public static readonly ProblemKind NoRecords = new(RequestFaultCodes.NoRecords, StatusCodes.Status400BadRequest, "There are no records");
    public static readonly ProblemKind InvalidEncoding = new(RequestFaultCodes.InvalidEncoding, StatusCodes.Status400BadRequest, "The body is not what its Content-Encoding says");
    public static readonly ProblemKind RecordTooLarge = new(RequestFaultCodes.RecordTooLarge, StatusCodes.Status413PayloadTooLarge, "A record is too large");
    public static readonly ProblemKind BodyTooLarge = new(RequestFaultCodes.BodyTooLarge, StatusCodes.Status413PayloadTooLarge, "The body is too large");
    public static readonly ProblemKind TooManyRecords = new(RequestFaultCodes.TooManyRecords, StatusCodes.Status413PayloadTooLarge, "There are too many records");

    public static readonly ProblemKind NotRehearsable = new(RequestFaultCodes.NotRehearsable, StatusCodes.Status400BadRequest, "The operation cannot be rehearsed");
    public static readonly ProblemKind InvalidIdempotencyKey = new("invalid_idempotency_key", StatusCodes.Status400BadRequest, "The idempotency key is not valid");
    public static readonly ProblemKind IdempotencyKeyReused = new(RequestFaultCodes.IdempotencyKeyReused, StatusCodes.Status422UnprocessableEntity, "The idempotency key is in use");

    // What a job's state does not allow.
    public static readonly ProblemKind AlreadyEnded = new(RequestFaultCodes.AlreadyEnded, StatusCodes.Status409Conflict, "The job has ended");
    public static readonly ProblemKind NotEnded = new(RequestFaultCodes.NotEnded, StatusCodes.Status409Conflict, "The job has not ended");
    public static readonly ProblemKind NothingToRetry = new(RequestFaultCodes.NothingToRetry, StatusCodes.Status409Conflict, "There is nothing to retry");
    public static readonly ProblemKind AlreadyRetried = new(RequestFaultCodes.AlreadyRetried, StatusCodes.Status409Conflict, "The job was retried before");
    public static readonly ProblemKind NotARehearsal = new(RequestFaultCodes.NotARehearsal, StatusCodes.Status409Conflict, "The job is no rehearsal");
    public static readonly ProblemKind AlreadyPromoted = new(RequestFaultCodes.AlreadyPromoted, StatusCodes.Status409Conflict, "The rehearsal was promoted before");
    public static readonly ProblemKind UnknownOperation = new(RequestFaultCodes.UnknownOperation, StatusCodes.Status409Conflict, "The operation is gone");

    // How fast. 408 and not 503 for an upload that stood still: the sender was slow, the server is well.
    public static readonly ProblemKind UploadExpired = new(RequestFaultCodes.UploadExpired, StatusCodes.Status408RequestTimeout, "The upload took too long");
    public static readonly ProblemKind RequestTimeout = new("request_timeout", StatusCodes.Status408RequestTimeout, "The request came too slowly");
    public static readonly ProblemKind TooManyRequests = new("too_many_requests", StatusCodes.Status429TooManyRequests, "Too many requests");

    public static readonly ProblemKind TooManyUploads = new("too_many_uploads", StatusCodes.Status429TooManyRequests, "Too many uploads are open");
    public static readonly ProblemKind QueueFull = new(RequestFaultCodes.QueueFull, StatusCodes.Status429TooManyRequests, "The company's queue is full");

    // What the server cannot do.
    public static readonly ProblemKind ServerBusy = new(RequestFaultCodes.ServerBusy, StatusCodes.Status503ServiceUnavailable, "The server is full");
    public static readonly ProblemKind DiskLow = new("disk_low", StatusCodes.Status503ServiceUnavailable, "The server's disk is nearly full");
    public static readonly ProblemKind Unavailable = new("unavailable", StatusCodes.Status503ServiceUnavailable, "The server cannot serve now");
    public static readonly ProblemKind TooManyWaiters = new("too_many_waiters", StatusCodes.Status503ServiceUnavailable, "Too many wait already");
    public static readonly ProblemKind InternalError = new("internal_error", StatusCodes.Status500InternalServerError, "The server made a mistake");

    /// <summary>Every kind, for tests and documentation.</summary>
    public static IReadOnlyList<ProblemKind> All { get; } =
    [
        MissingToken, MalformedToken, InvalidToken, ExpiredToken, RevokedToken, InsufficientScope, Forbidden,
        NotFound, RecordsRemoved, MethodNotAllowed, InvalidParameter, NotAcceptable, TooManyColumns, BadRequest,
        UnsupportedMediaType, InvalidForm, MalformedBody, InvalidUtf8, TooDeep, WrongShape, RecordNotObject, NoRecords, InvalidEncoding,
        RecordTooLarge, BodyTooLarge, TooManyRecords, NotRehearsable, InvalidIdempotencyKey, IdempotencyKeyReused,
        AlreadyEnded, NotEnded, NothingToRetry, AlreadyRetried, NotARehearsal, AlreadyPromoted, UnknownOperation,
        UploadExpired, RequestTimeout, TooManyRequests, TooManyUploads, QueueFull, TooManyWaiters,
        ServerBusy, DiskLow, Unavailable, InternalError,
    ];

    private static readonly Dictionary<string, ProblemKind> ByCode = All.ToDictionary(kind => kind.Code, StringComparer.Ordinal);

    /// <summary>The problem that a refused body or parameter is.</summary>
    public static Problem Of(RequestFault fault) => new(ByCode[fault.Code], fault.Detail)
    {
        Fault = fault,
        Headers = fault.RetryAfter is { } retryAfter ? [RetryAfterHeader.Of(retryAfter)] : [],
    };

    /// <summary>The problem that a refused token is.</summary>
    public static Problem Of(TokenRefusal refusal) => (refusal.Fault switch
    {
        TokenFault.Missing => MissingToken,
        TokenFault.Malformed => MalformedToken,
        TokenFault.Expired => ExpiredToken,
        TokenFault.Revoked => RevokedToken,
        _ => InvalidToken,
    }).With(refusal.Detail);

    /// <summary>The problem for an answer that has a status and nothing else.</summary>
    public static Problem OfStatus(HttpContext context) => context.Response.StatusCode == StatusCodes.Status401Unauthorized
        ? Of(TokenRefusal.Of(context))
        : OfStatus(context.Response.StatusCode);

    /// <summary>The problem that a status means, if nothing else is known.</summary>
    public static Problem OfStatus(int status) => status switch
    {
        StatusCodes.Status401Unauthorized => MissingToken.With("The request needs an access token: Authorization: Bearer …"),
        StatusCodes.Status403Forbidden => Forbidden.With("The caller may not do this."),
        StatusCodes.Status404NotFound => NotFound.With("There is nothing at this path."),
        StatusCodes.Status405MethodNotAllowed => MethodNotAllowed.With("This path does not have this method; the Allow header names those it has."),
        StatusCodes.Status408RequestTimeout => RequestTimeout.With("The request came more slowly than the server waits. Send it again."),
        StatusCodes.Status413PayloadTooLarge => BodyTooLarge.With("The body is larger than the server accepts here."),
        StatusCodes.Status415UnsupportedMediaType => UnsupportedMediaType.With("The server does not read this media type here."),
        StatusCodes.Status429TooManyRequests => TooManyRequests.With("There were too many requests in a short time. Wait, as Retry-After says, and send it again."),
        StatusCodes.Status503ServiceUnavailable => Unavailable.With("The server cannot serve now. Send the request again later."),
        < StatusCodes.Status500InternalServerError => (BadRequest with { Status = status }).With("The request was refused."),
        _ => (InternalError with { Status = status }).With("Something went wrong that is not the request's fault. It was logged."),
    };
}
