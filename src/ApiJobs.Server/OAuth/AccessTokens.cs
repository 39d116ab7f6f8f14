using System.Runtime.InteropServices;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text.Json;
using ApiJobs.AspNetCore.Callers;
using ApiJobs.Resources;
using ApiJobs.Server.Settings;
using ApiJobs.Storage;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using OpenIddict.Abstractions;
using OpenIddict.Validation;
using static OpenIddict.Abstractions.OpenIddictConstants;
using static OpenIddict.Abstractions.OpenIddictExceptions;

namespace ApiJobs.Server.OAuth;

/// <summary>Says whose an access token is, if it is good.</summary>
/// <remarks>
/// OpenIddict verifies each token once; the result is then remembered under the token's SHA-256, until the token runs
/// out or any key changes, because a signature costs more than all else that a small request does. Whether the client
/// may still call is asked every time.
/// </remarks>
internal sealed class AccessTokens : IDisposable
{
    private const int MaxRemembered = 10_000;
    private const string GetANewOne = "Get a new token, and send the request again.";

    private static readonly TokenRefusal Unreadable = new(TokenFault.Invalid, $"The token cannot be read. {GetANewOne}");

    private readonly OpenIddictValidationService _validation;
    private readonly SigningKeyRing? _ring;
    private readonly ClientStatus? _clients;
    private readonly OAuthSettings _settings;
    private readonly TimeProvider _time;
    private readonly ILogger<AccessTokens> _logger;
    private readonly MemoryCache _remembered = new(new MemoryCacheOptions { SizeLimit = MaxRemembered });
    private readonly IDisposable? _subscription;

    // The ring and the clients are the built-in issuer's; an external authority answers for its own.
    public AccessTokens(
        OpenIddictValidationService validation, IOptionsMonitor<OpenIddictValidationOptions> options, ServerSettings settings,
        TimeProvider time, ILogger<AccessTokens> logger, SigningKeyRing? ring = null, ClientStatus? clients = null)
    {
        (_validation, _settings, _time, _logger, _ring, _clients) = (validation, settings.OAuth, time, logger, ring, clients);
        _subscription = options.OnChange((_, _) => _remembered.Clear());
    }

    /// <summary>Judges a token.</summary>
    /// <returns>The caller, or null and why the token is refused, in sentences that tell nothing about others.</returns>
    /// <exception cref="StoreUnavailableException">Neither yes nor no: the database or the external authority does not answer.</exception>
    public async ValueTask<(ClaimsPrincipal? Caller, TokenRefusal? Refusal)> JudgeAsync(string token, CancellationToken cancellationToken)
    {
        var key = Convert.ToBase64String(SHA256.HashData(MemoryMarshal.AsBytes(token.AsSpan())));
        if (!_remembered.TryGetValue(key, out Verified? verified) || verified!.ExpiresAt + OAuthSettings.ClockSkew <= _time.GetUtcNow())
        {
            (verified, var refusal) = await VerifyAsync(token, cancellationToken);
            if (verified is null)
                return (null, refusal);
            using var entry = _remembered.CreateEntry(key);
            entry.SetSize(1).SetAbsoluteExpiration(verified.ExpiresAt + OAuthSettings.ClockSkew).SetValue(verified);
        }

        if (_clients is not null && !await _clients.IsActiveAsync(verified.Caller.ClientId(), cancellationToken))
            return (null, new(TokenFault.Revoked, "The token's client was revoked. Ask those who run this server for another."));
        return (verified.Caller, null);
    }

    public void Dispose()
    {
        _subscription?.Dispose();
        _remembered.Dispose();
    }

    private async Task<(Verified?, TokenRefusal?)> VerifyAsync(string token, CancellationToken cancellationToken)
    {
        var result = await ValidateAsync(token, cancellationToken);

        // Another node may have begun to sign with a key that this one has not seen.
        if (result.Verified is null && _ring is not null && await _ring.RefreshSoonAsync(cancellationToken))
            result = await ValidateAsync(token, cancellationToken);
        return result;
    }

    private async Task<(Verified? Verified, TokenRefusal? Refusal)> ValidateAsync(string token, CancellationToken cancellationToken)
    {
        try
        {
            return Read(await _validation.ValidateAccessTokenAsync(token, cancellationToken));
        }
        catch (ProtocolException exception) when (exception.Error == Errors.ServerError)
        {
            throw new StoreUnavailableException("The external authority's signing keys could not be loaded.", exception);
        }
        catch (ProtocolException exception)
        {
            return (null, RefusalOf(token, exception));
        }
        catch (Exception exception) when (exception is InvalidOperationException or JsonException or FormatException or ArgumentException)
        {
            // OpenIddict throws when a claim has a shape it does not expect: a well-signed token of a careless authority.
            _logger.LogWarning(exception, "A well-signed token cannot be read.");
            return (null, Unreadable);
        }
    }

    private (Verified?, TokenRefusal?) Read(ClaimsPrincipal claims)
    {
        var companyClaim = _ring is null ? _settings.CompanyClaim : Caller.CompanyIdClaim;
        if (claims.FindAll(companyClaim).ToList() is not [{ Value: var company }] || !UuidText.TryRead(company, out var companyId) || companyId == Guid.Empty)
            return (null, new(TokenFault.Invalid, $"The token has no claim '{companyClaim}' with one company's id, a UUID."));
        if ((claims.GetClaim(Claims.ClientId) ?? claims.GetClaim(Claims.AuthorizedParty) ?? claims.GetClaim(Claims.Subject)) is not { Length: > 0 } clientId)
            return (null, new(TokenFault.Invalid, "The token does not say whose it is."));
        if (claims.GetExpirationDate() is not { } expiresAt)
            return (null, new(TokenFault.Invalid, "The token has no time of expiry."));
        return (new(Caller.Create(companyId, clientId, claims.GetScopes(), expiresAt), expiresAt), null);
    }

    private TokenRefusal RefusalOf(string token, ProtocolException exception) =>
        HasExpired(token) ? new(TokenFault.Expired, $"The token has expired. {GetANewOne}")
        : !IsLikeToken(token) ? new(TokenFault.Malformed, "What was sent as a token is none: tokens here have three parts with dots between them. Send all of the access_token, and nothing else.")
        : new(TokenFault.Invalid, $"{exception.ErrorDescription ?? Unreadable.Detail} {GetANewOne}");

    // OpenIddict does not say that it is this. The token's own word is good enough for it: either way it is refused.
    private bool HasExpired(string token)
    {
        try
        {
            return new JsonWebToken(token).ValidTo is var end && end != DateTime.MinValue && end <= _time.GetUtcNow().UtcDateTime;
        }
        catch (Exception exception) when (exception is ArgumentException or SecurityTokenException or InvalidOperationException or FormatException or JsonException)
        {
            return false;
        }
    }

    // The three parts of a signed JSON Web Token, in base64url (RFC 7515, section 7.1).
    private static bool IsLikeToken(string token) =>
        token.Count(character => character == '.') == 2 && token.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_' or '.');

    private sealed record Verified(ClaimsPrincipal Caller, DateTimeOffset ExpiresAt);
}
