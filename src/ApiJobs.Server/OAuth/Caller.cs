using System.Security.Claims;

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

    /// <summary>The caller's company.</summary>
    public static Guid CompanyId(this ClaimsPrincipal user) => Guid.Parse(user.FindFirstValue(CompanyIdClaim)!);

    /// <summary>The caller's OAuth client.</summary>
    public static string ClientId(this ClaimsPrincipal user) => user.FindFirstValue(ClientIdClaim)!;

    /// <summary>What the caller may do.</summary>
    public static IEnumerable<string> Scopes(this ClaimsPrincipal user) => user.FindAll(ScopeClaim).Select(claim => claim.Value);

    /// <summary>Makes the user of a request.</summary>
    public static ClaimsPrincipal Create(Guid companyId, string clientId, IEnumerable<string> scopes) =>
        new(new ClaimsIdentity(
            [new(CompanyIdClaim, companyId.ToString()), new(ClientIdClaim, clientId), .. scopes.Select(scope => new Claim(ScopeClaim, scope))],
            BearerAuthentication.Scheme, ClientIdClaim, roleType: null));
}
