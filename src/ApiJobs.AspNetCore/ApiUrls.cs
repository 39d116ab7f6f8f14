using ApiJobs.Declarations;
using Microsoft.AspNetCore.Http;

namespace ApiJobs.AspNetCore;

/// <summary>The absolute paths of what answers point to.</summary>
/// <remarks>Paths, not whole URLs: behind a proxy the server does not know its own name, and clients resolve a path correctly.</remarks>
internal sealed class ApiUrls(string prefix)
{
    private readonly string _jobs = $"{prefix.TrimEnd('/')}/{ApiJobsDeclarations.JobsSegment}/";

    public string Job(HttpRequest request, Guid id) => $"{request.PathBase.ToUriComponent()}{_jobs}{id:D}";

    public string Jobs(HttpRequest request) => $"{request.PathBase.ToUriComponent()}{_jobs.TrimEnd('/')}";

    public string Records(HttpRequest request, Guid id) => $"{Job(request, id)}/records";
}
