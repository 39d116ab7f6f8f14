using ApiJobs.AspNetCore.Answers;
using Microsoft.AspNetCore.Http;

namespace ApiJobs.AspNetCore.Requests;

/// <summary>Answers the methods that a path does not have, where another route would take them for its own.</summary>
internal sealed class OtherMethods(string allowed)
{
    public Task RefuseAsync(HttpContext context) =>
        throw Problems.MethodNotAllowed.Refusal($"This path does not have the method {context.Request.Method}; it has {allowed}.", ("Allow", allowed));
}
