using System.Globalization;
using System.Runtime.CompilerServices;
using ApiJobs.AspNetCore.Answers;
using ApiJobs.AspNetCore.Callers;
using ApiJobs.AspNetCore.Requests;
using ApiJobs.Jobs;
using ApiJobs.Waiting;
using Microsoft.AspNetCore.Http;

namespace ApiJobs.AspNetCore.Jobs;

/// <summary>Tells how a job goes on, as events: progress, then the end, and then the stream ends.</summary>
/// <remarks>
/// An event says how far the job is, not what has changed since the last one: so those in between may be left out for a slow client, and
/// one that connects again, here or on another node, misses nothing.
/// </remarks>
internal sealed class EventsEndpoint(ApiJobEngine engine, ApiUrls urls, WaitOptions options, TimeProvider time)
{
    private const JobExpansion Shown = JobExpansion.Counts | JobExpansion.Progress;
    private const int RetrySeconds = 5;

    private static readonly TimeSpan ReconnectAfter = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan CommentInterval = TimeSpan.FromSeconds(15);

    // All streams of a job send the same bytes.
    private readonly ConditionalWeakTable<JobNews, RenderedEvent> _rendered = [];

    public async Task StreamAsync(HttpContext context, string id)
    {
        var jobId = PathId.Parse(id);
        using var waiter = engine.Watch(context.Caller().CompanyId, jobId) ?? throw TooMany();
        var first = await waiter.ReadAsync(context.RequestAborted) ?? throw JobEndpoint.NotFound(jobId);
        var stream = new EventStream(context, time);
        stream.Begin();
        if (HttpMethods.IsHead(context.Request.Method))
            return;

        await stream.WriteRetryAsync(ReconnectAfter, waiter.Stopping);
        await TellAsync(context, stream, waiter, first);
    }

    private async Task TellAsync(HttpContext context, EventStream stream, JobWaiter waiter, JobNews news)
    {
        var began = time.GetTimestamp();
        var lifetime = LifetimeOf(context);
        var told = ProgressCursor.Of(news.Job, context.Request.Headers["Last-Event-ID"]);
        long? toldAt = null;
        while (!waiter.Stopping.IsCancellationRequested && lifetime - time.GetElapsedTime(began) is { Ticks: > 0 } rest)
        {
            if (news.Job.HasEnded)
            {
                await stream.WriteAsync(await RenderAsync(news, context), waiter.Stopping);
                return;
            }

            var isNew = told is null || news.Job.NextChunk > told.Value.NextChunk;
            var isSoon = toldAt is not null && time.GetElapsedTime(toldAt.Value) < ProgressInterval;
            if (isNew && !isSoon)
            {
                await stream.WriteAsync(await RenderAsync(news, context), waiter.Stopping);
                (told, toldAt) = (ProgressCursor.Of(news.Job), time.GetTimestamp());
            }
            else if (stream.Silence >= CommentInterval)
            {
                await stream.WriteCommentAsync(waiter.Stopping);
            }
            else
            {
                var pause = isNew ? ProgressInterval - time.GetElapsedTime(toldAt!.Value) : CommentInterval - stream.Silence;
                await waiter.SleepAsync(news, untilEnd: isNew, AtLeastAMillisecond(pause < rest ? pause : rest), context.RequestAborted);
            }

            news = waiter.Latest!;
        }
    }

    private async ValueTask<ReadOnlyMemory<byte>> RenderAsync(JobNews news, HttpContext context)
    {
        var (job, request) = (news.Job, context.Request);
        var records = urls.Records(request, job.Id);
        if (_rendered.TryGetValue(news, out var kept) && kept.Records == records)
            return kept.Bytes;
        var message = await news.ReadMessageAsync(engine, context.RequestAborted);
        var name = job.Status switch
        {
            ApiJobStatus.Completed => "api_job.completed",
            ApiJobStatus.Failed => "api_job.failed",
            _ => "api_job.progress",
        };
        var details = await engine.ReadDetailsAsync(job.CompanyId, [job], Shown, context.RequestAborted);
        var bytes = EventStream.Event(name, ProgressCursor.Of(job).ToString(), JobJson.Answer(job, message, urls, request, Shown, details[0]).Utf8);
        _rendered.AddOrUpdate(news, new(records, bytes));
        return bytes;
    }

    // Who may read the job when the stream begins may not for ever: the client shows its token again from time to time.
    private TimeSpan LifetimeOf(HttpContext context)
    {
        var expiry = context.User.FindFirst("exp")?.Value;
        if (!long.TryParse(expiry, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) || seconds > DateTimeOffset.MaxValue.ToUnixTimeSeconds())
            return options.MaxStreamTime;
        var left = DateTimeOffset.FromUnixTimeSeconds(seconds) - time.GetUtcNow();
        return left < options.MaxStreamTime ? left : options.MaxStreamTime;
    }

    // Timers go by whole milliseconds; less than one would be a loop without rest.
    private static TimeSpan AtLeastAMillisecond(TimeSpan time) => time < TimeSpan.FromMilliseconds(1) ? TimeSpan.FromMilliseconds(1) : time;

    private static ProblemException TooMany() => Problems.TooManyWaiters.Refusal(
        "As many requests wait for jobs here as the server allows, on the whole or for your company. "
        + "Ask with GET /api-jobs/{id} meanwhile, and connect again after the seconds that Retry-After says.",
        ("Retry-After", RetrySeconds.ToString(CultureInfo.InvariantCulture)));

    /// <param name="Records">Where the job's records are; the message may name it, and it depends on how the request came.</param>
    /// <param name="Bytes">The event.</param>
    private sealed record RenderedEvent(string Records, ReadOnlyMemory<byte> Bytes);
}
