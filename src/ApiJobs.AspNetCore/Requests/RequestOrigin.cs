using System.Diagnostics;
using ApiJobs.AspNetCore.Callers;
using ApiJobs.Jobs;
using Microsoft.AspNetCore.Http;

namespace ApiJobs.AspNetCore.Requests;

/// <summary>What a job remembers of the request that made it.</summary>
internal static class RequestOrigin
{
    public static JobOrigin Origin(this HttpContext context) => new()
    {
        ClientId = context.Caller().ClientId,
        IdempotencyKey = context.Features.Get<IdempotencyKey>()?.Text,
        TraceParent = Activity.Current is { IdFormat: ActivityIdFormat.W3C } request ? request.Id : null,
    };
}
