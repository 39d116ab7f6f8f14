using Microsoft.AspNetCore.Http;

namespace ApiJobs.AspNetCore.Callers;

/// <summary>Who sends a request, as the application knows it.</summary>
/// <param name="CompanyId">The company the caller belongs to: the only one whose jobs and rows the request can touch.</param>
/// <param name="Scopes">What the caller may do: <c>jobs:read</c>, and <c>{path}:read</c> and <c>{path}:write</c> of each resource. None includes another.</param>
/// <param name="ClientId">The OAuth client that sends it, kept with the jobs it makes; null if the application does not know.</param>
public sealed record ApiJobCaller(Guid CompanyId, IReadOnlyCollection<string> Scopes, string? ClientId = null);

/// <summary>Finds the caller of a request.</summary>
/// <returns>The caller, or null if the request is not authenticated; it is answered with 401 then.</returns>
public delegate ValueTask<ApiJobCaller?> ReadCaller(HttpContext context);
