using ApiJobs.Resources;
using Microsoft.AspNetCore.Http;

namespace ApiJobs.AspNetCore.Callers;

/// <summary>Finds the caller in the claims of the authenticated user: <c>company_id</c>; <c>scope</c>, repeated or separated by spaces; and the client.</summary>
/// <remarks>
/// The client is <c>client_id</c> (RFC 9068, section 2.2), else <c>azp</c>, as OpenID providers call it, else <c>sub</c>: without a
/// resource owner the subject is the client itself.
/// </remarks>
internal static class ClaimsCaller
{
    private const string CompanyIdClaim = "company_id";
    private const string ScopeClaim = "scope";

    private static readonly string[] ClientClaims = ["client_id", "azp", "sub"];

    public static ValueTask<ApiJobCaller?> ReadAsync(HttpContext context) => ValueTask.FromResult(Read(context));

    private static ApiJobCaller? Read(HttpContext context)
    {
        var user = context.User;
        if (user.Identity?.IsAuthenticated != true || !UuidText.TryRead(user.FindFirst(CompanyIdClaim)?.Value, out var companyId))
            return null;
        string[] scopes = [.. user.FindAll(ScopeClaim)
            .SelectMany(claim => claim.Value.Split(' ', StringSplitOptions.RemoveEmptyEntries))];
        return new(companyId, scopes, ClientClaims.Select(claim => user.FindFirst(claim)?.Value).FirstOrDefault(value => !string.IsNullOrEmpty(value)));
    }
}
