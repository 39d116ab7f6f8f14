using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

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

    private const string Realm = $"Bearer realm=\"{RealmName}\"";

    private string? _refusal;

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (Request.Headers.Authorization is not [{ } header, ..] values || !header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
            return AuthenticateResult.NoResult();
        if (values.Count > 1 || header.Length < Scheme.Length + 2 || header[Scheme.Length] != ' ')
            return Refuse("The Authorization header must be 'Bearer', a space and one token.");

        var (caller, refusal) = await tokens.JudgeAsync(header[(Scheme.Length + 1)..].Trim(), Context.RequestAborted);
        return caller is null ? Refuse(refusal!) : AuthenticateResult.Success(new(caller, Scheme));
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        await HandleAuthenticateOnceSafeAsync();
        Response.StatusCode = StatusCodes.Status401Unauthorized;

        // RFC 6750 §3.1: a request without a token gets no error code.
        Response.Headers[HeaderNames.WWWAuthenticate] =
            _refusal is null ? Realm : $"{Realm}, error=\"invalid_token\", error_description=\"{_refusal.Replace('"', '\'')}\"";
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties)
    {
        Response.StatusCode = StatusCodes.Status403Forbidden;
        Response.Headers[HeaderNames.WWWAuthenticate] = $"{Realm}, error=\"insufficient_scope\"";
        return Task.CompletedTask;
    }

    private AuthenticateResult Refuse(string refusal)
    {
        _refusal = refusal;
        return AuthenticateResult.Fail(refusal);
    }
}
