using System.Runtime.CompilerServices;
using ApiJobs.AspNetCore.Answers;
using ApiJobs.AspNetCore.Requests;
using ApiJobs.Jobs;
using ApiJobs.Waiting;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace ApiJobs.AspNetCore.Jobs;

/// <summary>Answers what became of a bulk request.</summary>
internal sealed class JobEndpoint(ApiJobEngine engine, ApiUrls urls)
{
    private readonly ConditionalWeakTable<ApiJob, ShownJob> _endedJobs = [];

    public static IReadOnlyList<QueryParameter> Parameters { get; } = [JobExpansions.Parameter];

    public async Task GetAsync(HttpContext context, string id)
    {
        var (request, response) = (context.Request, context.Response);
        var expansion = JobExpansions.Read(request);
        var jobId = PathId.Parse(id);
        if (await engine.FindAsPreferredAsync(context, jobId) is not { } news)
            throw NotFound(jobId);

        var shown = await ShowAsync(news, request, expansion);
        response.Headers.ETag = shown.EntityTag.ToString();
        response.Headers.RetryAfter = engine.RetryAfter(news.Job);
        response.KeepChecked();
        if (request.Knows(shown.EntityTag))
            response.StatusCode = StatusCodes.Status304NotModified;
        else
            await shown.Answer.WriteAsync(response);
    }

    /// <summary>The refusal of an id that no job of the company has; whether another company has it cannot be told.</summary>
    public static ProblemException NotFound(Guid jobId) => Problems.NotFound.Refusal($"There is no API job {jobId}.");

    // The engine gives the same object for an ended job as long as it keeps it; what is shown of it goes when it goes.
    private async ValueTask<ShownJob> ShowAsync(JobNews news, HttpRequest request, JobExpansion expansion)
    {
        var job = news.Job;
        var isKept = job.HasEnded && expansion == JobExpansion.None;
        var records = urls.Records(request, job.Id);
        if (isKept && _endedJobs.TryGetValue(job, out var kept) && kept.Records == records)
            return kept;
        var cancellationToken = request.HttpContext.RequestAborted;
        var entries = await news.ReadMessageAsync(engine, cancellationToken);
        var details = await engine.ReadDetailsAsync(job.CompanyId, [job], expansion, cancellationToken);
        var answer = JobJson.Answer(job, entries, urls, request, expansion, details[0]);
        var shown = new ShownJob(records, answer, answer.EntityTag());
        if (isKept)
            _endedJobs.AddOrUpdate(job, shown);
        return shown;
    }

    /// <param name="Records">Where its records are; the message may name it, and it depends on how the request came.</param>
    /// <param name="Answer">The bytes.</param>
    /// <param name="EntityTag">Their validator.</param>
    private sealed record ShownJob(string Records, JsonAnswer Answer, EntityTagHeaderValue EntityTag);
}
