using ApiJobs.AspNetCore.Answers;
using ApiJobs.AspNetCore.Routing;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace ApiJobs.AspNetCore.Callers;

/// <summary>Stands before every endpoint: lets through known callers who have the endpoint's scope and send only parameters that it has.</summary>
internal sealed class EndpointGuard(string scope, IReadOnlyList<QueryParameter> parameters, ReadCaller readCaller, RequestDelegate endpoint)
{
    /// <summary>Puts a guard before every endpoint of a group, also those that are added to it later.</summary>
    public static void AddTo(RouteGroupBuilder group, ReadCaller readCaller) =>
        // At the end, when the endpoint is complete: so nothing of it, filters and binding included, runs before the guard.
        ((IEndpointConventionBuilder)group).Finally(builder =>
        {
            var scope = builder.Metadata.OfType<RequiredScope>().LastOrDefault()?.Name
                ?? throw new InvalidOperationException($"The endpoint '{builder.DisplayName}' does not say which scope it needs.");
            var guard = new EndpointGuard(
                scope, [.. builder.Metadata.OfType<QueryParameter>()], readCaller, builder.RequestDelegate!);
            builder.RequestDelegate = guard.InvokeAsync;
        });

    private async Task InvokeAsync(HttpContext context)
    {
        var caller = await readCaller(context);
        if (caller is null)
        {
            await ChallengeAsync(context);
            return;
        }

        if (!caller.Scopes.Contains(scope, StringComparer.Ordinal))
        {
            context.Response.Headers.WWWAuthenticate = $"Bearer error=\"insufficient_scope\", scope=\"{scope}\"";
            await Problems.InsufficientScope.With($"The request needs the scope '{scope}', which the caller does not have.").WriteAsync(context);
            return;
        }

        context.Features.Set(caller);
        await ProblemBoundary.RunAsync(context, endpoint, parameters);
    }

    // The application's own scheme knows best what was wrong with the credentials (RFC 6750, section 3); it may lack a body.
    private static async Task ChallengeAsync(HttpContext context)
    {
        var schemes = context.RequestServices.GetService<IAuthenticationSchemeProvider>();
        if (schemes is not null && await schemes.GetDefaultChallengeSchemeAsync() is not null)
            await context.ChallengeAsync();
        else
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
        if (context.Response.HasStarted || context.Response.ContentType is not null
            || context.Response.StatusCode != StatusCodes.Status401Unauthorized)
        {
            return;
        }

        if (context.Response.Headers.WWWAuthenticate.Count == 0)
            context.Response.Headers.WWWAuthenticate = "Bearer";
        await Problems.Unauthorized.With("The request needs an access token: Authorization: Bearer …").WriteAsync(context);
    }
}

/// <summary>The scope that an endpoint's callers need.</summary>
internal sealed record RequiredScope(string Name);

/// <summary>Gives endpoints the caller that the guard let through.</summary>
internal static class CallerFeature
{
    public static ApiJobCaller Caller(this HttpContext context) =>
        context.Features.Get<ApiJobCaller>() ?? throw new InvalidOperationException("The endpoint is not guarded.");
}
