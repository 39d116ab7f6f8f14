using ApiJobs.AspNetCore.Answers;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ApiJobs.AspNetCore.Callers;

/// <summary>The guard's step that asks who is calling, and keeps the answer for the endpoint.</summary>
internal sealed class KnownCaller(ReadCaller readCaller)
{
    public async ValueTask<bool> CheckAsync(HttpContext context)
    {
        if (await readCaller(context) is { } caller)
        {
            context.Features.Set(caller);
            return true;
        }

        if (await IsAnsweredByApplicationAsync(context))
            return false;
        var refusal = TokenRefusal.Of(context);
        if (context.Response.Headers.WWWAuthenticate.Count == 0)
            context.Response.Headers.WWWAuthenticate = refusal.Challenge();
        throw new ProblemException(Problems.Of(refusal));
    }

    // The application's own scheme knows best what was wrong with the credentials (RFC 6750, section 3); it may lack a body.
    private static async Task<bool> IsAnsweredByApplicationAsync(HttpContext context)
    {
        var (response, schemes) = (context.Response, context.RequestServices.GetService<IAuthenticationSchemeProvider>());
        if (schemes is null || await schemes.GetDefaultChallengeSchemeAsync() is null)
            return false;
        await context.ChallengeAsync();
        return response.HasStarted || response.ContentType is not null || response.StatusCode != StatusCodes.Status401Unauthorized;
    }
}

/// <summary>Gives endpoints the caller that the guard let through.</summary>
internal static class CallerFeature
{
    public static ApiJobCaller Caller(this HttpContext context) =>
        context.Features.Get<ApiJobCaller>() ?? throw new InvalidOperationException("The endpoint is not guarded.");
}
