using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Claims;
using ApiJobs.AspNetCore.Callers;

namespace ApiJobs.Server.OAuth;

/// <summary>Who is calling, as an accepted token says: the claims of the request's user.</summary>
internal static class Caller
{
    /// <summary>Claim: the company whose records the caller may see, a UUID.</summary>
    public const string CompanyIdClaim = "company_id";

    /// <summary>Claim: the OAuth client.</summary>
    public const string ClientIdClaim = "client_id";

    /// <summary>Claim, one for each: what the caller may do.</summary>
    public const string ScopeClaim = "scope";

    /// <summary>Claim: when the token ends, in seconds since 1970 (RFC 7519, section 4.1.4).</summary>
    public const string ExpiryClaim = "exp";

    // Users are remembered with their token, and never change: so what is read from their claims is read once.
    private static readonly ConditionalWeakTable<ClaimsPrincipal, ApiJobCaller> Known = [];

    /// <summary>The caller of a request, as the engine's endpoints want it.</summary>
    public static ValueTask<ApiJobCaller?> OfAsync(HttpContext context) => ValueTask.FromResult(
        context.User.Identity?.AuthenticationType == BearerAuthentication.Scheme
            ? Known.GetValue(context.User, static user => new(user.CompanyId(), [.. user.Scopes()], user.ClientId()))
            : null);

    /// <summary>The caller's company.</summary>
    public static Guid CompanyId(this ClaimsPrincipal user) => Guid.Parse(user.FindFirstValue(CompanyIdClaim)!);

    /// <summary>The caller's OAuth client.</summary>
    public static string ClientId(this ClaimsPrincipal user) => user.FindFirstValue(ClientIdClaim)!;

    /// <summary>What the caller may do.</summary>
    public static IEnumerable<string> Scopes(this ClaimsPrincipal user) => user.FindAll(ScopeClaim).Select(claim => claim.Value);

    /// <summary>Makes the user of a request.</summary>
    public static ClaimsPrincipal Create(Guid companyId, string clientId, IEnumerable<string> scopes, DateTimeOffset expiresAt) =>
        new(new ClaimsIdentity(
            [new(CompanyIdClaim, companyId.ToString()), new(ClientIdClaim, clientId),
                new(ExpiryClaim, expiresAt.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture)), .. scopes.Select(scope => new Claim(ScopeClaim, scope))],
            BearerAuthentication.Scheme, ClientIdClaim, roleType: null));
}
