using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace ApiJobs.Server.Tests.Contract;

/// <summary>Tokens that say openly whose they are: the API's contract does not depend on how an application signs them.</summary>
internal sealed class TestAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    public new const string Scheme = "Bearer";

    public static string Token(Guid company, string scopes) => $"{company}.{scopes.Replace(' ', '.')}";

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (Request.Headers.Authorization is not [{ } header] || !header.StartsWith("Bearer ", StringComparison.Ordinal))
            return Task.FromResult(AuthenticateResult.NoResult());
        var parts = header["Bearer ".Length..].Split('.');
        if (!Guid.TryParse(parts[0], out _))
            return Task.FromResult(AuthenticateResult.Fail("The token names no company."));
        var identity = new ClaimsIdentity([new("company_id", parts[0]), new("scope", string.Join(' ', parts[1..]))], Scheme);
        return Task.FromResult(AuthenticateResult.Success(new(new(identity), Scheme)));
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        Response.StatusCode = 401;
        Response.Headers.WWWAuthenticate = "Bearer realm=\"test\"";
        return Task.CompletedTask;
    }
}
