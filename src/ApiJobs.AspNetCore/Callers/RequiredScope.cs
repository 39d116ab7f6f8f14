using ApiJobs.AspNetCore.Answers;
using Microsoft.AspNetCore.Http;

namespace ApiJobs.AspNetCore.Callers;

/// <summary>The guard's step that asks for the endpoint's scope.</summary>
internal sealed record RequiredScope(string Name)
{
    public ValueTask<bool> CheckAsync(HttpContext context) => context.Caller().Scopes.Contains(Name, StringComparer.Ordinal)
        ? ValueTask.FromResult(true)
        : throw Problems.InsufficientScope.Refusal(
            $"The request needs the scope '{Name}', which the caller does not have.",
            ("WWW-Authenticate", $"Bearer error=\"insufficient_scope\", scope=\"{Name}\""));
}
