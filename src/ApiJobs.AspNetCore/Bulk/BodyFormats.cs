using ApiJobs.Intake;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace ApiJobs.AspNetCore.Bulk;

/// <summary>Finds the reader for what a request says its body is.</summary>
internal static class BodyFormats
{
    private static readonly string[] Supported = ["application/json"];

    /// <summary>Begins to read a request's records.</summary>
    /// <returns>The reader, or null if the request's media type, character set or encoding is not supported.</returns>
    public static RecordReader? OpenReader(HttpRequest request, IntakeOptions intake)
    {
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
            || (type.Charset.HasValue && !type.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase))
            || request.Headers.ContentEncoding.Count > 0)
        {
            return null;
        }

        return type.MediaType.Equals(Supported[0], StringComparison.OrdinalIgnoreCase)
            ? new JsonRecordReader(new BoundedBody(request.Body, intake.MaxBodyBytes), intake)
            : null;
    }

    /// <summary>Says what would have been read.</summary>
    public static string Refusal(HttpRequest request)
    {
        var sent = request.ContentType is { Length: > 0 } type ? $"The body is '{type}'" : "The request has no Content-Type";
        return $"{sent}; send one of: {string.Join(", ", Supported)}, in UTF-8 and without Content-Encoding.";
    }
}
