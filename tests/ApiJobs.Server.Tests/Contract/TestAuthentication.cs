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

    private const string ClientMark = "as:";

    public static string Token(Guid company, string scopes, string? client = null) =>
        $"{company}.{scopes.Replace(' ', '.')}{(client is null ? "" : $".{ClientMark}{client}")}";

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (Request.Headers.Authorization is not [{ } header] || !header.StartsWith("Bearer ", StringComparison.Ordinal))
            return Task.FromResult(AuthenticateResult.NoResult());
        var parts = header["Bearer ".Length..].Split('.');
        if (!Guid.TryParse(parts[0], out _))
            return Task.FromResult(AuthenticateResult.Fail("The token names no company."));
        var scopes = parts[1..].Where(part => !part.StartsWith(ClientMark, StringComparison.Ordinal));
        var identity = new ClaimsIdentity([new("company_id", parts[0]), new("scope", string.Join(' ', scopes))], Scheme);
        if (parts.FirstOrDefault(part => part.StartsWith(ClientMark, StringComparison.Ordinal)) is { } client)
            identity.AddClaim(new("client_id", client[ClientMark.Length..]));
        return Task.FromResult(AuthenticateResult.Success(new(new(identity), Scheme)));
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        Response.StatusCode = 401;
        Response.Headers.WWWAuthenticate = "Bearer realm=\"test\"";
        return Task.CompletedTask;
    }
}
