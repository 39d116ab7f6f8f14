using ApiJobs.Declarations;

namespace ApiJobs.Server.OAuth;

/// <summary>What a client may be allowed to do: <c>jobs:…</c>, <c>admin</c>, and reading and writing of each resource.</summary>
internal static class Scopes
{
    public const string Admin = "admin";

    /// <summary>All scopes there are: what the declared resources and operations ask for, and the server's own.</summary>
    public static IReadOnlyList<string> All { get; } = [.. ApiJobsDeclarations.Of(CrmResources.Declare).Scopes, Admin];

    /// <summary>Splits a list of scopes as RFC 6749 writes it, separated by spaces.</summary>
    public static string[] Split(string scopes) => scopes.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    /// <summary>Says what is wrong with a client's scopes, as the rest of a sentence; null if nothing is.</summary>
    public static string? FaultOf(IReadOnlyCollection<string> scopes)
    {
        if (scopes.Count == 0)
            return $"is empty. Give at least one of: {string.Join(' ', All)}.";
        return scopes.FirstOrDefault(scope => !All.Contains(scope)) is { } unknown
            ? $"has '{unknown}', which is not a scope. Use: {string.Join(' ', All)}."
            : null;
    }
}
