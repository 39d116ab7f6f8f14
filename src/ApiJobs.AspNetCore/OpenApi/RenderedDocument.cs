using ApiJobs.AspNetCore.Answers;
using ApiJobs.AspNetCore.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Net.Http.Headers;
using Microsoft.OpenApi;

namespace ApiJobs.AspNetCore.OpenApi;

/// <summary>A document that is made at its first request and then served as it is: what it describes does not change while the process runs.</summary>
internal sealed class RenderedDocument(IOpenApiDocumentProvider documents)
{
    private readonly Lazy<Task<Rendered>> _rendered = new(() => RenderAsync(documents));

    public async Task GetAsync(HttpContext context)
    {
        var response = context.Response;
        var rendered = await _rendered.Value;
        response.Headers.ETag = rendered.EntityTag.ToString();
        response.Headers.CacheControl = "no-cache";
        response.Headers.XContentTypeOptions = "nosniff";
        if (context.Request.Knows(rendered.EntityTag))
            response.StatusCode = StatusCodes.Status304NotModified;
        else
            await rendered.Answer.WriteAsync(response);
    }

    private static async Task<Rendered> RenderAsync(IOpenApiDocumentProvider documents)
    {
        var document = await documents.GetOpenApiDocumentAsync(CancellationToken.None);
        using var bytes = new MemoryStream();
        await document.SerializeAsJsonAsync(bytes, OpenApiSpecVersion.OpenApi3_1, CancellationToken.None);
        var answer = JsonAnswer.Of(bytes.ToArray());
        return new(answer, answer.EntityTag());
    }

    private sealed record Rendered(JsonAnswer Answer, EntityTagHeaderValue EntityTag);
}
