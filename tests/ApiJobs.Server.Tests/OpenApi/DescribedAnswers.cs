using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using ApiJobs.Server.Tests.Contract;

namespace ApiJobs.Server.Tests.OpenApi;

/// <summary>Holds every JSON answer that a test of the contract gets to what the server's own OpenAPI document says: status, media type, headers, schema and, of problems, code.</summary>
internal static class DescribedAnswers
{
    private static readonly ConcurrentDictionary<string, JsonElement> Documents = [];

    // What clients act on; the rest is the transport's.
    private static readonly string[] Headers =
    [
        "Location", "Retry-After", "ETag", "Link", "Preference-Applied", "RateLimit", "RateLimit-Policy", "Vary", "WWW-Authenticate", "Accept-Encoding",
        "Content-Disposition", "Cache-Control",
    ];

    /// <summary>Says which document a server has.</summary>
    public static void Remember(Uri server, JsonElement document) => Documents[server.Authority] = document;

    /// <summary>Fails unless the answer is as described. Answers of servers without a document, and of paths and methods that are not the API's, are passed over.</summary>
    /// <returns>Whether the answer was looked at.</returns>
    public static bool Check(HttpResponseMessage answer, JsonElement body)
    {
        var request = answer.RequestMessage!;
        // Methods that a path does not have are not in a document, and one of its paths may look like another.
        if (answer.StatusCode == HttpStatusCode.MethodNotAllowed || !request.RequestUri!.AbsolutePath.StartsWith(ApiServer.Prefix, StringComparison.Ordinal))
            return false;
        if (!Documents.TryGetValue(request.RequestUri.Authority, out var document) || Find(document, request) is not { } operation)
            return false;
        var (name, status) = ($"{request.Method} {request.RequestUri.AbsolutePath}", $"{(int)answer.StatusCode}");
        var schemas = new SchemaCheck(document);
        operation.GetProperty("responses").TryGetProperty(status, out var response).ShouldBeTrue($"{name} is answered with {status}, which is not described: {body}");
        response = schemas.Resolve(response);
        var described = response.TryGetProperty("headers", out var headers) ? headers.MemberNames() : [];
        var sent = answer.Headers.Concat(answer.Content.Headers).Select(header => header.Key);
        sent.Intersect(Headers).Except(described).ShouldBeEmpty($"{name} {status} has headers that are not described.");
        var mediaType = answer.Content.Headers.ContentType!.MediaType!;
        response.GetProperty("content").TryGetProperty(mediaType, out var content).ShouldBeTrue($"{name} {status} is {mediaType}, which is not described.");
        schemas.FaultsOf(body, content.GetProperty("schema")).ShouldBeEmpty($"{name} {status} is not as described: {body}");
        return true;
    }

    private static JsonElement? Find(JsonElement document, HttpRequestMessage request)
    {
        var segments = request.RequestUri!.AbsolutePath.Split('/');
        var method = request.Method.Method.ToLowerInvariant();
        return document.GetProperty("paths").EnumerateObject()
            .Where(path => Fits(path.Name.Split('/'), segments) && path.Value.TryGetProperty(method, out _))
            // The path whose name has fewer parameters is meant.
            .OrderBy(path => path.Name.Count(character => character == '{'))
            .Select(path => (JsonElement?)path.Value.GetProperty(method)).FirstOrDefault();
    }

    private static bool Fits(string[] template, string[] segments) =>
        template.Length == segments.Length && template.Zip(segments).All(pair => pair.First.StartsWith('{') ? pair.Second.Length > 0 : pair.First == pair.Second);
}
