using System.Text.Encodings.Web;
using ApiJobs.AspNetCore.Callers;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace ApiJobs.Server.OAuth;

/// <summary>Authenticates requests by the bearer token of their Authorization header (RFC 6750); no other place is looked at.</summary>
internal sealed class BearerAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder, AccessTokens tokens)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    /// <summary>The name of the scheme.</summary>
    public new const string Scheme = "Bearer";

    /// <summary>What a challenge says the credentials are for, here and at the token endpoint.</summary>
    public const string RealmName = "apijobs";

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (Request.Headers.Authorization is not [{ } header, ..] values || !header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
            return AuthenticateResult.NoResult();
        // What the header shows by itself, TokenRefusal says.
        if (values.Count > 1 || header.Length < Scheme.Length + 2 || header[Scheme.Length] != ' ' || header.AsSpan(Scheme.Length).Trim().Contains(' '))
            return AuthenticateResult.Fail("The Authorization header must be 'Bearer', a space and one token.");

        var (caller, refusal) = await tokens.JudgeAsync(header[(Scheme.Length + 1)..].Trim(), Context.RequestAborted);
        return caller is null ? Refuse(refusal!) : AuthenticateResult.Success(new(caller, Scheme));
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        await HandleAuthenticateOnceSafeAsync();
        Response.StatusCode = StatusCodes.Status401Unauthorized;
        Response.Headers.WWWAuthenticate = TokenRefusal.Of(Context).Challenge(RealmName);
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties)
    {
        Response.StatusCode = StatusCodes.Status403Forbidden;
        Response.Headers.WWWAuthenticate = $"Bearer realm=\"{RealmName}\", error=\"insufficient_scope\"";
        return Task.CompletedTask;
    }

    // The reason goes with the request: whatever answers 401, this handler or an endpoint, tells it.
    private AuthenticateResult Refuse(TokenRefusal refusal)
    {
        Context.Features.Set(refusal);
        return AuthenticateResult.Fail(refusal.Detail);
    }
}
