using ApiJobs.AspNetCore.Answers;
using ApiJobs.AspNetCore.Callers;
using ApiJobs.AspNetCore.Limits;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace ApiJobs.AspNetCore.Requests;

/// <summary>Something that a request must pass before its endpoint sees it.</summary>
/// <returns>False if the application itself has answered the request.</returns>
/// <exception cref="ProblemException">The request does not pass.</exception>
internal delegate ValueTask<bool> GuardStep(HttpContext context);

/// <summary>Stands before every endpoint, inside the problem boundary: lets through what passes all its steps.</summary>
internal sealed class EndpointGuard(IReadOnlyList<GuardStep> steps, RequestDelegate endpoint)
{
    /// <summary>Puts a guard before every endpoint of a group, also those that are added to it later.</summary>
    public static void AddTo(RouteGroupBuilder group, ReadCaller readCaller, RequestLimits limits) =>
        // At the end, when the endpoint is complete: so nothing of it, filters and binding included, runs before the guard.
        ((IEndpointConventionBuilder)group).Finally(builder =>
        {
            var guard = new EndpointGuard(StepsFor(builder, readCaller, limits), builder.RequestDelegate!);
            builder.RequestDelegate = new ProblemBoundary(guard.InvokeAsync).InvokeAsync;
        });

    // In this order: who must not know an endpoint learns nothing of it, not even what it would refuse.
    private static List<GuardStep> StepsFor(EndpointBuilder endpoint, ReadCaller readCaller, RequestLimits limits) =>
    [
        new KnownCaller(readCaller).CheckAsync,
        limits.CheckAsync,
        (endpoint.Metadata.OfType<RequiredScope>().LastOrDefault()
            ?? throw new InvalidOperationException($"The endpoint '{endpoint.DisplayName}' does not say which scope it needs.")).CheckAsync,
        .. endpoint.Metadata.OfType<ChangesJobs>().Any() ? new GuardStep[] { IdempotencyKey.CheckAsync } : [],
        new KnownParameters([.. endpoint.Metadata.OfType<QueryParameter>()]).CheckAsync,
    ];

    private async Task InvokeAsync(HttpContext context)
    {
        foreach (var step in steps)
        {
            if (!await step(context))
                return;
        }

        await endpoint(context);
    }
}
