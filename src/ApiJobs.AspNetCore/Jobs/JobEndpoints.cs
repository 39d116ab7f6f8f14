using ApiJobs.AspNetCore.Answers;
using ApiJobs.AspNetCore.Callers;
using ApiJobs.AspNetCore.Routing;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace ApiJobs.AspNetCore.Jobs;

/// <summary>Answers what became of a bulk request.</summary>
internal sealed class JobEndpoints(ApiJobEngine engine, ApiUrls urls)
{
    private static readonly QueryParameter Expand = new(
        "expand", "What to show beside the job's own members: counts, links, or both, separated by a comma.");

    public static IReadOnlyList<QueryParameter> Parameters { get; } = [Expand];

    public async Task GetAsync(HttpContext context, string id)
    {
        var (request, response) = (context.Request, context.Response);
        var expansion = ReadExpansion(request);
        var jobId = PathId.Parse(id);
        if (await engine.FindJobAsync(context.Caller().CompanyId, jobId, context.RequestAborted) is not { } job)
        {
            await NotFound(jobId).WriteAsync(context);
            return;
        }

        var answer = JobJson.Answer(job, urls, request, expansion);
        var entityTag = answer.EntityTag();
        response.Headers.ETag = entityTag.ToString();
        response.Headers.RetryAfter = engine.RetryAfter(job);
        // An ended job never changes, but a token may end: so a copy may be kept, and must be checked before each use.
        // The check costs no body, and one client's cache cannot show a company's job to another's token.
        response.Headers.CacheControl = "private, no-cache";
        if (IsKnownToClient(request, entityTag))
            response.StatusCode = StatusCodes.Status304NotModified;
        else
            await answer.WriteAsync(response);
    }

    /// <summary>The answer for an id that no job of the company has; whether another company has it cannot be told.</summary>
    public static Problem NotFound(Guid jobId) => Problems.NotFound.With($"There is no API job {jobId}.");

    private static JobExpansion ReadExpansion(HttpRequest request)
    {
        var names = Expand.Names(request, ["counts", "links"]);
        return (names.Contains("counts") ? JobExpansion.Counts : JobExpansion.None)
            | (names.Contains("links") ? JobExpansion.Links : JobExpansion.None);
    }

    // If-None-Match compares weakly (RFC 9110, section 13.1.2): W/ in front of a tag makes no difference.
    private static bool IsKnownToClient(HttpRequest request, EntityTagHeaderValue entityTag) =>
        EntityTagHeaderValue.TryParseList(request.Headers.IfNoneMatch, out var known)
        && known.Any(tag => tag.Equals(EntityTagHeaderValue.Any) || tag.Compare(entityTag, useStrongComparison: false));
}
