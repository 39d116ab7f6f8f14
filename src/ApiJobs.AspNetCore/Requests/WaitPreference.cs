using System.Globalization;
using ApiJobs.AspNetCore.Callers;
using ApiJobs.Jobs;
using ApiJobs.Waiting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.Extensions.Primitives;

namespace ApiJobs.AspNetCore.Requests;

/// <summary>The preference <c>wait</c> of the header <c>Prefer</c> (RFC 7240, section 4.3): how long a client would rather wait for a job's end than ask again.</summary>
internal static class WaitPreference
{
    private const string HeaderName = "Prefer";
    private const string AppliedName = "Preference-Applied";
    private const string WaitName = "wait";
    private const int MaxSeconds = 60;

    /// <summary>Finds a job of the caller's company; if the request prefers it, not before the job has ended or the time is over.</summary>
    /// <returns>The job as it is by then; null if there is none.</returns>
    public static async ValueTask<JobNews?> FindAsPreferredAsync(this ApiJobEngine engine, HttpContext context, Guid jobId)
    {
        var companyId = context.Caller().CompanyId;
        return await engine.WaitAsPreferredAsync(context, companyId, jobId) is var (hasWaited, news) && hasWaited
            ? news
            : await engine.FindJobAsync(companyId, jobId, context.RequestAborted) is { } job ? new(job) : null;
    }

    /// <summary>Waits for the end of a job that a request has made or changed, if the request prefers it.</summary>
    /// <returns>The job as it is by then.</returns>
    public static async ValueTask<JobNews> AwaitAsPreferredAsync(this ApiJobEngine engine, HttpContext context, ApiJob job) =>
        (await engine.WaitAsPreferredAsync(context, job.CompanyId, job.Id)).News ?? new(job);

    /// <summary>Whether the answer comes after the wait that its request preferred.</summary>
    public static bool HasWaited(this HttpResponse response) => response.Headers.ContainsKey(AppliedName);

    /// <summary>Says that the answer is not what the wait was preferred for.</summary>
    public static void HasNotWaited(this HttpResponse response) => response.Headers.Remove(AppliedName);

    /// <summary>The seconds that are preferred; null if there is no such preference, or none that can be understood, which is none (RFC 7240, section 2).</summary>
    internal static int? Seconds(StringValues prefer)
    {
        foreach (var header in prefer)
        {
            foreach (var preference in QuotedList.Split(header, ','))
            {
                var (name, value) = QuotedList.Pair(QuotedList.Split(preference, ';').FirstOrDefault() ?? "");
                // Of a preference that is sent twice, the first counts.
                if (name.Equals(WaitName, StringComparison.OrdinalIgnoreCase))
                    return Bounded(value);
            }
        }

        return null;
    }

    private static int? Bounded(string value)
    {
        if (value.Length == 0 || !value.All(char.IsAsciiDigit))
            return null;
        var digits = value.TrimStart('0');
        return digits.Length > 2 ? MaxSeconds : Math.Min(MaxSeconds, digits.Length == 0 ? 0 : int.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture));
    }

    private static async ValueTask<(bool HasWaited, JobNews? News)> WaitAsPreferredAsync(this ApiJobEngine engine, HttpContext context, Guid companyId, Guid jobId)
    {
        var (request, response) = (context.Request, context.Response);
        response.Headers.Append("Vary", HeaderName);
        if (Seconds(request.Headers[HeaderName]) is not { } seconds)
            return (false, null);
        using var waiter = engine.Watch(companyId, jobId);
        if (waiter is null)
            return (false, null);

        // An application's own limit is for requests that work.
        context.Features.Get<IHttpRequestTimeoutFeature>()?.DisableTimeout();
        var news = await waiter.WaitForEndAsync(TimeSpan.FromSeconds(seconds), context.RequestAborted);
        // Of a job that is not there nothing was waited for.
        if (news is not null && (news.Job.HasEnded || !waiter.Stopping.IsCancellationRequested))
            response.Headers[AppliedName] = string.Create(CultureInfo.InvariantCulture, $"{WaitName}={seconds}");
        return (true, news);
    }
}
