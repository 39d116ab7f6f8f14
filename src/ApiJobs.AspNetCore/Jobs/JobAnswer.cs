using ApiJobs.Jobs;
using Microsoft.AspNetCore.Http;

namespace ApiJobs.AspNetCore.Jobs;

/// <summary>Answers a request that made or changed a job with the job.</summary>
internal static class JobAnswer
{
    /// <summary>Answers with a job that was accepted, now or by the same request before: as it is now.</summary>
    public static Task WriteAcceptedAsync(this HttpResponse response, ApiJob job, ApiJobEngine engine, ApiUrls urls)
    {
        response.StatusCode = StatusCodes.Status202Accepted;
        response.Headers.Location = urls.Job(response.HttpContext.Request, job.Id);
        return response.WriteJobAsync(job, engine, urls);
    }

    /// <summary>Answers with a job.</summary>
    public static async Task WriteJobAsync(this HttpResponse response, ApiJob job, ApiJobEngine engine, ApiUrls urls)
    {
        response.Headers.RetryAfter = engine.RetryAfter(job);
        // The same tag as of asking for the job: so the first question can already be whether anything has changed.
        var message = await engine.ReadMessageAsync(job, CancellationToken.None);
        var answer = JobJson.Answer(job, message, urls, response.HttpContext.Request, JobExpansion.None);
        response.Headers.ETag = answer.EntityTag().ToString();
        await answer.WriteAsync(response);
    }
}
