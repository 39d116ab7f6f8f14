using ApiJobs.AspNetCore.Answers;
using Microsoft.AspNetCore.Http;

namespace ApiJobs.AspNetCore.Routing;

/// <summary>Answers the methods that a path does not have, where another route would take them for its own.</summary>
internal sealed class OtherMethods(string allowed)
{
    public Task RefuseAsync(HttpContext context)
    {
        context.Response.Headers.Allow = allowed;
        return Problems.OfStatus(StatusCodes.Status405MethodNotAllowed).WriteAsync(context);
    }
}
