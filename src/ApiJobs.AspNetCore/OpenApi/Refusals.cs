using ApiJobs.AspNetCore.Answers;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.OpenApi;

namespace ApiJobs.AspNetCore.OpenApi;

/// <summary>The problems that an operation can be answered with, beside those that every operation can.</summary>
/// <param name="Name">What its answers are called in a document.</param>
/// <param name="Kinds">The problems.</param>
internal sealed record Refusals(string Name, IReadOnlyList<ProblemKind> Kinds)
{
    // Every endpoint asks who is calling and how often, and every one needs the store.
    private static readonly ProblemKind[] OfAll =
    [
        Problems.MissingToken, Problems.MalformedToken, Problems.InvalidToken, Problems.ExpiredToken, Problems.RevokedToken,
        Problems.InsufficientScope, Problems.Forbidden, Problems.InvalidParameter, Problems.BadRequest, Problems.TooManyRequests,
        Problems.InternalError, Problems.Unavailable,
    ];

    private static readonly ProblemKind[] OfChanges =
    [
        Problems.InvalidIdempotencyKey, Problems.IdempotencyKeyReused, Problems.BodyTooLarge, Problems.RequestTimeout, Problems.DiskLow,
    ];

    private static readonly ProblemKind[] OfNewJobs =
    [
        .. OfChanges, Problems.RecordTooLarge, Problems.TooManyRecords, Problems.QueueFull, Problems.ServerBusy, Problems.UploadExpired,
    ];

    public static readonly Refusals Lists = new("List", []);

    public static readonly Refusals One = new("One", [Problems.NotFound]);

    public static readonly Refusals Records = new("Records", [Problems.NotFound, Problems.NotAcceptable, Problems.TooManyColumns, Problems.RecordsRemoved]);

    public static readonly Refusals Events = new("Events", [Problems.NotFound, Problems.TooManyWaiters]);

    public static readonly Refusals Cancel = new("Cancel", [Problems.NotFound, Problems.AlreadyEnded, .. OfChanges]);

    public static readonly Refusals Retry = new(
        "Retry",
        [
            Problems.NotFound, Problems.NotEnded, Problems.NothingToRetry, Problems.AlreadyRetried, Problems.UnknownOperation, Problems.RecordsRemoved,
            .. OfNewJobs,
        ]);

    public static readonly Refusals Promote = new(
        "Promote",
        [
            Problems.NotFound, Problems.NotEnded, Problems.NotARehearsal, Problems.AlreadyPromoted, Problems.UnknownOperation, Problems.RecordsRemoved,
            .. OfNewJobs,
        ]);

    public static readonly Refusals Bulk = new(
        "Bulk",
        [
            Problems.NotFound, Problems.NotEnded, Problems.UnsupportedMediaType, Problems.InvalidForm, Problems.MalformedBody, Problems.InvalidUtf8,
            Problems.TooDeep, Problems.WrongShape, Problems.RecordNotObject, Problems.NoRecords, Problems.InvalidEncoding, Problems.NotRehearsable,
            Problems.TooManyUploads, .. OfNewJobs,
        ]);

    /// <summary>Adds the answers to an operation.</summary>
    public void AddTo(OpenApiOperation operation, OpenApiDocument document)
    {
        foreach (var kinds in OfAll.Concat(Kinds).GroupBy(kind => kind.Status).OrderBy(kinds => kinds.Key))
        {
            var status = kinds.Key;
            var name = $"{(Kinds.Any(kind => kind.Status == status) ? Name : "")}{ReasonPhrases.GetReasonPhrase(status).Replace(" ", "", StringComparison.Ordinal)}";
            operation.Responses!.Add($"{status}", document.Response(name, () => Answer(document, status, [.. kinds])));
        }
    }

    private static OpenApiResponse Answer(OpenApiDocument document, int status, IReadOnlyList<ProblemKind> kinds) => new()
    {
        Description = string.Join("; ", kinds.Select(kind => $"{kind.Code}: {kind.Title}")) + ".",
        Headers = OperationDescription.HeadersOf(
            [
                .. HeadersOf(document, status),
                .. kinds.Contains(Problems.AlreadyRetried) || kinds.Contains(Problems.AlreadyPromoted) ? [document.Child()] : Array.Empty<(string, IOpenApiHeader)>(),
                .. status == 401 ? [] : document.RateLimits(),
                document.Vary(),
                document.CacheControl(),
            ]),
        Content = new Dictionary<string, OpenApiMediaType>
        {
            ["application/problem+json"] = new()
            {
                Schema = new OpenApiSchema
                {
                    AllOf =
                    [
                        document.Problem(),
                        new OpenApiSchema
                        {
                            Type = JsonSchemaType.Object,
                            Properties = new Dictionary<string, IOpenApiSchema> { ["code"] = SchemaOf.Enum(kinds.Select(kind => kind.Code)) },
                        },
                    ],
                },
                Examples = kinds.ToDictionary(kind => kind.Code, kind => (IOpenApiExample)new OpenApiExample { Value = Examples.Of(kind) }),
            },
        },
    };

    private static IEnumerable<(string, IOpenApiHeader)> HeadersOf(OpenApiDocument document, int status) => status switch
    {
        401 or 403 => [document.WwwAuthenticate()],
        415 => [document.AcceptEncoding()],
        429 or 503 => [document.RetryAfter("RetryAfterRefusal", "When to send the request again, in seconds.")],
        _ => [],
    };
}
