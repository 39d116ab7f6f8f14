namespace ApiJobs.Server.Http;

/// <summary>The stable codes of the problems that the server itself answers with; they never change meaning.</summary>
internal static class ProblemCodes
{
    /// <summary>400: the request cannot be read.</summary>
    public const string BadRequest = "bad_request";

    /// <summary>401: the request has no token.</summary>
    public const string Unauthorized = "unauthorized";

    /// <summary>401: the token is broken, expired, not for this server, or its client was revoked.</summary>
    public const string InvalidToken = "invalid_token";

    /// <summary>403: the token lacks a scope.</summary>
    public const string InsufficientScope = "insufficient_scope";

    /// <summary>404: there is nothing at this address, or nothing the caller may see.</summary>
    public const string NotFound = "not_found";

    /// <summary>405: the address exists, but not for this method; <c>Allow</c> names those it has.</summary>
    public const string MethodNotAllowed = "method_not_allowed";

    /// <summary>408: the body arrived too slowly.</summary>
    public const string RequestTimeout = "request_timeout";

    /// <summary>413: the body is over the limit.</summary>
    public const string BodyTooLarge = "body_too_large";

    /// <summary>415: the body's format is not one of those accepted.</summary>
    public const string UnsupportedMediaType = "unsupported_media_type";

    /// <summary>500: a fault of the server, logged under the <c>trace_id</c>.</summary>
    public const string InternalError = "internal_error";

    /// <summary>503: the database, or the external authority, does not answer now; the same request may be sent again.</summary>
    public const string Unavailable = "unavailable";

    /// <summary>The code for a status that came without one.</summary>
    public static string Of(int status) => status switch
    {
        401 => Unauthorized,
        403 => InsufficientScope,
        404 => NotFound,
        405 => MethodNotAllowed,
        408 => RequestTimeout,
        413 => BodyTooLarge,
        415 => UnsupportedMediaType,
        503 => Unavailable,
        >= 500 => InternalError,
        _ => BadRequest,
    };
}
