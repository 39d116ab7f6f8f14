using ApiJobs.AspNetCore.Callers;
using ApiJobs.AspNetCore.Requests;
using ApiJobs.Jobs;
using Microsoft.AspNetCore.Http;

namespace ApiJobs.AspNetCore.Jobs;

/// <summary>The job that a request names.</summary>
internal static class NamedJob
{
    /// <summary>Finds a job of the caller's company.</summary>
    /// <param name="engine">The engine.</param>
    /// <param name="context">The request.</param>
    /// <param name="id">The job's id, as sent.</param>
    /// <exception cref="Answers.ProblemException">It is no id, or the company has no job of that id.</exception>
    public static async ValueTask<ApiJob> FindNamedAsync(this ApiJobEngine engine, HttpContext context, string id)
    {
        var jobId = PathId.Parse(id);
        return await engine.FindJobAsync(context.Caller().CompanyId, jobId, context.RequestAborted) ?? throw JobEndpoint.NotFound(jobId);
    }
}
