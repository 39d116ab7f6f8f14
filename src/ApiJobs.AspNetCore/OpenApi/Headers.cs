using System.Text.Json.Nodes;
using Microsoft.OpenApi;

namespace ApiJobs.AspNetCore.OpenApi;

/// <summary>The headers that requests may have, and those that answers have.</summary>
internal static class Headers
{
    public static IOpenApiParameter IdempotencyKey(this OpenApiDocument document) => document.Parameter("IdempotencyKey", () => Request(
        Requests.IdempotencyKey.HeaderName,
        "A key of the client's own for this request, 1 to 255 characters, quoted or not: sent again under it, the same request gets the same job, and another one is refused.",
        // A quoted key may escape each of its characters.
        new OpenApiSchema { Type = JsonSchemaType.String, MinLength = 1, MaxLength = (2 * 255) + 2 }, "43dbbc35-d114-4da5-a1c0-6abbea6d7bf5"));

    public static IOpenApiParameter Prefer(this OpenApiDocument document) => document.Parameter("Prefer", () => Request(
        "Prefer", "wait=30 rather waits up to 30 seconds for the job's end than to be answered at once; 60 at the most (RFC 7240). Other preferences are passed over.",
        SchemaOf.Text(), "wait=30"));

    public static IOpenApiParameter IfNoneMatch(this OpenApiDocument document) => document.Parameter("IfNoneMatch", () => Request(
        "If-None-Match", "The ETag of an answer that the client has: 304 if it is still the same.", SchemaOf.Text(), "\"3f1f0d2c5b7a49e09f2f6f7c64a80c1e\""));

    public static IOpenApiParameter LastEventId(this OpenApiDocument document) => document.Parameter("LastEventID", () => Request(
        "Last-Event-ID", "The id of the last event that the client has; what it knows already is not sent again.", SchemaOf.Text(), "0"));

    public static IOpenApiParameter ContentEncoding(this OpenApiDocument document, IEnumerable<string> encodings) => document.Parameter("ContentEncoding", () => Request(
        "Content-Encoding", "How the body is compressed; not at all unless given.", SchemaOf.Enum(encodings), "gzip"));

    public static IOpenApiParameter TraceParent(this OpenApiDocument document) => document.Parameter("Traceparent", () => Request(
        "traceparent", "The trace that the request belongs to (W3C Trace Context); kept with the job, as its origin's trace_id.",
        SchemaOf.Text(pattern: "^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"), "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));

    public static (string, IOpenApiHeader) Location(this OpenApiDocument document) => ("Location", document.Header("Location", () => Response(
        "The path of the job.", new OpenApiSchema { Type = JsonSchemaType.String, Format = "uri-reference" }, "/engine/api/api-jobs/43dbbc35-d114-4da5-a1c0-6abbea6d7bf5")));

    public static (string, IOpenApiHeader) RetryAfter(this OpenApiDocument document, string name = "RetryAfter", string description = "When to ask again, in seconds; left out once the job has ended.") =>
        ("Retry-After", document.Header(name, () => Response(description, SchemaOf.Count(min: 1), 5)));

    public static (string, IOpenApiHeader) ETag(this OpenApiDocument document) => ("ETag", document.Header("ETag", () => Response(
        "What the answer is known by; send it as If-None-Match.", SchemaOf.Text(), "\"3f1f0d2c5b7a49e09f2f6f7c64a80c1e\"")));

    public static (string, IOpenApiHeader) NextPage(this OpenApiDocument document) => ("Link", document.Header("NextPage", () => Response(
        "The path of the next page, with rel=\"next\" (RFC 8288); left out on the last one.", SchemaOf.Text(), "</engine/api/api-jobs?cursor=…>; rel=\"next\"")));

    public static (string, IOpenApiHeader) Child(this OpenApiDocument document) => ("Link", document.Header("Child", () => Response(
        "The path of the job that there is already, with rel=\"child\"; of already_retried and already_promoted.", SchemaOf.Text(),
        "</engine/api/api-jobs/43dbbc35-d114-4da5-a1c0-6abbea6d7bf5>; rel=\"child\"")));

    public static (string, IOpenApiHeader) PreferenceApplied(this OpenApiDocument document) => ("Preference-Applied", document.Header("PreferenceApplied", () => Response(
        "The wait that was made, if one was preferred.", SchemaOf.Text(), "wait=30")));

    public static (string, IOpenApiHeader) Vary(this OpenApiDocument document, string header) => ("Vary", document.Header($"Vary{header}", () => Response(
        $"The answer depends on the header {header}.", SchemaOf.Text(), header)));

    public static (string, IOpenApiHeader) Vary(this OpenApiDocument document) => ("Vary", document.Header("Vary", () => Response(
        "The header of the request that the operation's answers depend on, if there is one.", SchemaOf.Text(), "Prefer")));

    public static (string, IOpenApiHeader) ContentDisposition(this OpenApiDocument document) => ("Content-Disposition", document.Header("ContentDisposition", () => Response(
        "A name for the file; of whole lists, which are streamed.", SchemaOf.Text(), "attachment; filename=\"api-job-43dbbc35-d114-4da5-a1c0-6abbea6d7bf5-records.csv\"")));

    public static (string, IOpenApiHeader) CacheControl(this OpenApiDocument document) => ("Cache-Control", document.Header("CacheControl", () => Response(
        "no-store, as answers hold a company's data; private, no-cache of a job, which may be kept and is checked with its ETag.", SchemaOf.Text(), "no-store")));

    public static (string, IOpenApiHeader) AcceptEncoding(this OpenApiDocument document) => ("Accept-Encoding", document.Header("AcceptEncoding", () => Response(
        "The encodings that are read, if another one was sent (RFC 9110, section 15.5.16).", SchemaOf.Text(), "gzip, br")));

    public static (string, IOpenApiHeader) WwwAuthenticate(this OpenApiDocument document) => ("WWW-Authenticate", document.Header("WWWAuthenticate", () => Response(
        "What is wrong with the token (RFC 6750, section 3).", SchemaOf.Text(), "Bearer error=\"invalid_token\"")));

    /// <summary>What every answer of the API says of the caller's limits.</summary>
    public static IEnumerable<(string, IOpenApiHeader)> RateLimits(this OpenApiDocument document) =>
    [
        ("RateLimit", document.Header("RateLimit", () => Response(
            "What is left of the caller's requests, r, and in how many seconds it is the whole burst again, t (draft-ietf-httpapi-ratelimit-headers-10). Left out where there is no limit.",
            SchemaOf.Text(), "\"client\";r=199;t=1"))),
        ("RateLimit-Policy", document.Header("RateLimitPolicy", () => Response(
            "The caller's limits: q requests at once, and again after w seconds.", SchemaOf.Text(), "\"client\";q=200;w=2"))),
    ];

    private static OpenApiParameter Request(string name, string description, OpenApiSchema schema, JsonNode example) =>
        new() { Name = name, In = ParameterLocation.Header, Description = description, Schema = schema, Example = example };

    private static OpenApiHeader Response(string description, OpenApiSchema schema, JsonNode example) =>
        new() { Description = description, Schema = schema, Example = example };
}
