using System.Runtime.InteropServices;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text.Json;
using ApiJobs.Resources;
using ApiJobs.Server.Settings;
using ApiJobs.Storage;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Options;
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
    private const string Unreadable = "The token is not valid.";

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
    /// <returns>The caller, or null and why the token is refused, in a sentence that tells nothing about others.</returns>
    /// <exception cref="StoreUnavailableException">Neither yes nor no: the database or the external authority does not answer.</exception>
    public async ValueTask<(ClaimsPrincipal? Caller, string? Refusal)> JudgeAsync(string token, CancellationToken cancellationToken)
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
            return (null, "The token's client was revoked.");
        return (verified.Caller, null);
    }

    public void Dispose()
    {
        _subscription?.Dispose();
        _remembered.Dispose();
    }

    private async Task<(Verified?, string?)> VerifyAsync(string token, CancellationToken cancellationToken)
    {
        var result = await ValidateAsync(token, cancellationToken);

        // Another node may have begun to sign with a key that this one has not seen.
        if (result.Verified is null && _ring is not null && await _ring.RefreshSoonAsync(cancellationToken))
            result = await ValidateAsync(token, cancellationToken);
        return result;
    }

    private async Task<(Verified? Verified, string? Refusal)> ValidateAsync(string token, CancellationToken cancellationToken)
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
            return (null, exception.ErrorDescription ?? Unreadable);
        }
        catch (Exception exception) when (exception is InvalidOperationException or JsonException or FormatException or ArgumentException)
        {
            // OpenIddict throws when a claim has a shape it does not expect: a well-signed token of a careless authority.
            _logger.LogWarning(exception, "A well-signed token cannot be read.");
            return (null, Unreadable);
        }
    }

    private (Verified?, string?) Read(ClaimsPrincipal claims)
    {
        var companyClaim = _ring is null ? _settings.CompanyClaim : Caller.CompanyIdClaim;
        if (claims.FindAll(companyClaim).ToList() is not [{ Value: var company }] || !UuidText.TryRead(company, out var companyId) || companyId == Guid.Empty)
            return (null, $"The token has no claim '{companyClaim}' with one company's id, a UUID.");
        if ((claims.GetClaim(Claims.ClientId) ?? claims.GetClaim(Claims.AuthorizedParty) ?? claims.GetClaim(Claims.Subject)) is not { Length: > 0 } clientId)
            return (null, "The token does not say whose it is.");
        if (claims.GetExpirationDate() is not { } expiresAt)
            return (null, "The token has no time of expiry.");
        return (new(Caller.Create(companyId, clientId, claims.GetScopes()), expiresAt), null);
    }

    private sealed record Verified(ClaimsPrincipal Caller, DateTimeOffset ExpiresAt);
}
