using ApiJobs.Resources;
using Microsoft.AspNetCore.Http;

namespace ApiJobs.AspNetCore.Callers;

/// <summary>Finds the caller in the claims of the authenticated user: <c>company_id</c>, and <c>scope</c>, repeated or separated by spaces (RFC 9068).</summary>
internal static class ClaimsCaller
{
    private const string CompanyIdClaim = "company_id";
    private const string ScopeClaim = "scope";

    public static ValueTask<ApiJobCaller?> ReadAsync(HttpContext context) => ValueTask.FromResult(Read(context));

    private static ApiJobCaller? Read(HttpContext context)
    {
        var user = context.User;
        if (user.Identity?.IsAuthenticated != true || !UuidText.TryRead(user.FindFirst(CompanyIdClaim)?.Value, out var companyId))
            return null;
        string[] scopes = [.. user.FindAll(ScopeClaim)
            .SelectMany(claim => claim.Value.Split(' ', StringSplitOptions.RemoveEmptyEntries))];
        return new(companyId, scopes);
    }
}
