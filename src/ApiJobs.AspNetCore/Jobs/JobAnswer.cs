using ApiJobs.AspNetCore.Requests;
using ApiJobs.Jobs;
using ApiJobs.Storage;
using ApiJobs.Waiting;
using Microsoft.AspNetCore.Http;

namespace ApiJobs.AspNetCore.Jobs;

/// <summary>Answers a request that made or changed a job with the job.</summary>
internal static class JobAnswer
{
    /// <summary>Answers with a job that was accepted, now or by the same request before: as it is now, or at its end if the request prefers to wait for that.</summary>
    public static async Task WriteAcceptedAsync(this HttpResponse response, ApiJob job, ApiJobEngine engine, ApiUrls urls)
    {
        var context = response.HttpContext;
        var (news, message) = (new JobNews(job), "");
        try
        {
            news = await engine.AwaitAsPreferredAsync(context, job);
            message = await news.ReadMessageAsync(engine, CancellationToken.None);
        }
        catch (StoreUnavailableException) when (job.MessageEntryCount == 0)
        {
            // The job is made. Who hears anything else sends the request again, and has two.
            news = new(job);
            response.HasNotWaited();
        }

        response.StatusCode = news.Job.HasEnded && response.HasWaited() ? StatusCodes.Status200OK : StatusCodes.Status202Accepted;
        response.Headers.Location = urls.Job(context.Request, job.Id);
        await response.WriteJobAsync(news, message, engine, urls);
    }

    /// <summary>Answers with a job that was changed; at its end, if the request prefers to wait for that.</summary>
    public static async Task WriteChangedAsync(this HttpResponse response, ApiJob job, ApiJobEngine engine, ApiUrls urls)
    {
        var news = await engine.AwaitAsPreferredAsync(response.HttpContext, job);
        await response.WriteJobAsync(news, await news.ReadMessageAsync(engine, CancellationToken.None), engine, urls);
    }

    private static async Task WriteJobAsync(this HttpResponse response, JobNews news, string message, ApiJobEngine engine, ApiUrls urls)
    {
        response.Headers.RetryAfter = engine.RetryAfter(news.Job);
        // The same tag as of asking for the job: so the first question can already be whether anything has changed.
        var answer = JobJson.Answer(news.Job, message, urls, response.HttpContext.Request, JobExpansion.None);
        response.Headers.ETag = answer.EntityTag().ToString();
        await answer.WriteAsync(response);
    }
}
