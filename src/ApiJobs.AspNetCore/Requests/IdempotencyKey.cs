using ApiJobs.AspNetCore.Answers;
using Microsoft.AspNetCore.Http;

namespace ApiJobs.AspNetCore.Requests;

/// <summary>Marks an endpoint whose requests make a job: to send one twice is to do its work twice.</summary>
internal sealed class MakesJob;

/// <summary>The guard's step that refuses the header <c>Idempotency-Key</c> where a job would be made.</summary>
/// <remarks>Keys do not work yet. Who sends one relies on it, and would retry without a thought: taken silently, it would double every create.</remarks>
internal static class IdempotencyKey
{
    public const string HeaderName = "Idempotency-Key";

    public static ValueTask<bool> RefuseAsync(HttpContext context) => !context.Request.Headers.ContainsKey(HeaderName)
        ? ValueTask.FromResult(true)
        : throw Problems.NotSupported.Refusal(
            $"The header {HeaderName} does not work yet: a retry under the same key would make a second job. "
            + "Send the request without it, and give creates an id of your own in each record: then a retry finds the rows that exist.");
}
