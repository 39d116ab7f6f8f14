using ApiJobs.AspNetCore.Answers;
using ApiJobs.AspNetCore.Bulk;
using ApiJobs.AspNetCore.Callers;
using ApiJobs.AspNetCore.Requests;
using ApiJobs.Declarations;
using ApiJobs.Intake;
using ApiJobs.Jobs;
using ApiJobs.Records;
using ApiJobs.Storage;
using Microsoft.AspNetCore.Http;

namespace ApiJobs.AspNetCore.Jobs;

/// <summary>Changes jobs that were sent already: cancels them, and makes new ones of the records of those that have ended.</summary>
internal sealed class ChangeEndpoints(ApiJobEngine engine, BulkRoutes routes, ApiUrls urls)
{
    // No endpoint here has a body; some clients send an empty object all the same.
    private const int MaxBodyBytes = 1_024;

    public async Task CancelAsync(HttpContext context, string id)
    {
        var job = await FindAsync(context, id);
        var origin = context.Origin();
        var request = origin.IdempotencyKey is { } key ? new KeyedRequest(origin.ClientId, key, await FingerprintOfAsync(context)) : null;
        var cancelled = await engine.CancelAsync(job.CompanyId, job.Id, origin.ClientId, request, context.RequestAborted)
            ?? throw JobEndpoint.NotFound(job.Id);
        await context.Response.WriteChangedAsync(cancelled, engine, urls);
    }

    public Task RetryAsync(HttpContext context, string id) => GoOnAsync(context, id, engine.RetryAsync);

    public Task PromoteAsync(HttpContext context, string id) => GoOnAsync(context, id, engine.PromoteAsync);

    private async Task GoOnAsync(
        HttpContext context, string id, Func<ApiJob, JobOrigin, ReadFingerprint?, CancellationToken, Task<ApiJob>> goOnAsync)
    {
        var parent = await FindAsync(context, id);
        var origin = context.Origin();
        var fingerprint = origin.IdempotencyKey is null ? default : await FingerprintOfAsync(context);
        ApiJob child;
        try
        {
            child = await goOnAsync(
                parent, origin, origin.IdempotencyKey is null ? null : _ => ValueTask.FromResult(fingerprint), context.RequestAborted);
        }
        catch (RequestFaultException exception) when (exception.Fault.ChildId is { } childId)
        {
            throw new ProblemException(Problems.Of(exception.Fault) with
            {
                Headers = [("Link", $"<{urls.Job(context.Request, childId)}>; rel=\"child\"")],
            });
        }
        catch (RecordsRemovedException)
        {
            throw Problems.RecordsRemoved.Refusal(
                $"The records of job {parent.Id} were removed some time after its end, as this server is configured. "
                + "Send the records again from where they came.");
        }

        await context.Response.WriteAcceptedAsync(child, engine, urls);
    }

    /// <summary>Finds the job that a request is about, whose sender must also be allowed to send such a job.</summary>
    private async Task<ApiJob> FindAsync(HttpContext context, string id)
    {
        var job = await engine.FindNamedAsync(context, id);
        // Jobs of an operation that is gone can still be cancelled: they wait, and hold up their lane.
        if (routes.All.FirstOrDefault(route => route.Operation.Type == job.Type) is { } route)
            await new RequiredScope(route.Scope).CheckAsync(context);
        return job;
    }

    private static async ValueTask<ReadOnlyMemory<byte>> FingerprintOfAsync(HttpContext context)
    {
        await using var body = new FingerprintedBody(context.Request, new BoundedBody(context.Request.Body, MaxBodyBytes, TooLarge));
        return await body.ReadFingerprintAsync(context.RequestAborted);
    }

    private static ProblemException TooLarge() => Problems.BodyTooLarge.Refusal(
        $"The body is larger than {MaxBodyBytes} bytes. Send this request without a body.");
}
