using ApiJobs.AspNetCore.Bulk;
using ApiJobs.AspNetCore.Callers;
using ApiJobs.Operations;
using ApiJobs.Resources;
using Microsoft.AspNetCore.Http;

namespace ApiJobs.AspNetCore;

/// <summary>Collects what an application offers: its resources, its own operations, and how it knows its callers.</summary>
public sealed class ApiJobsBuilder
{
    private readonly List<Resource> _resources = [];
    private readonly List<BulkRoute> _codedRoutes = [];
    private ReadCaller _readCaller = ClaimsCaller.ReadAsync;

    /// <summary>Offers a declared resource: create, update and upsert at <c>/{path}/bulk</c>, and reading at <c>/{path}</c> and <c>/{path}/{id}</c>.</summary>
    /// <returns>This builder.</returns>
    public ApiJobsBuilder AddResource(Resource resource)
    {
        ArgumentNullException.ThrowIfNull(resource);
        _resources.Add(resource);
        return this;
    }

    /// <summary>Offers an operation written by hand.</summary>
    /// <param name="operation">The operation; one instance serves all requests.</param>
    /// <param name="method">The HTTP method of its bulk requests, for example <see cref="HttpMethods.Post"/>.</param>
    /// <param name="path">Its path below the API's prefix, without a leading slash: <c>cases/tags/bulk</c>.</param>
    /// <param name="scope">The scope its callers need; unless given, <c>:write</c> of the path's first segment: <c>cases:write</c>.</param>
    /// <returns>This builder.</returns>
    public ApiJobsBuilder AddOperation(BulkOperation operation, string method, string path, string? scope = null)
    {
        ArgumentNullException.ThrowIfNull(operation);
        ArgumentException.ThrowIfNullOrWhiteSpace(method);
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        if (path.StartsWith('/') || path.EndsWith('/') || path.Contains('{', StringComparison.Ordinal))
            throw new ArgumentException($"'{path}' is not a path for an operation: leave out the outer slashes, and use no parameters.", nameof(path));
        _codedRoutes.Add(new(operation, method, path, scope ?? Scopes.Write(path.Split('/')[0])));
        return this;
    }

    /// <summary>Says how a request's caller is found; without it, from the claims <c>company_id</c> and <c>scope</c> of the authenticated user.</summary>
    /// <returns>This builder.</returns>
    public ApiJobsBuilder UseCaller(ReadCaller readCaller)
    {
        ArgumentNullException.ThrowIfNull(readCaller);
        _readCaller = readCaller;
        return this;
    }

    internal ApiJobsDeclarations Build()
    {
        var catalog = new ResourceCatalog(_resources);
        var routes = _resources.SelectMany(resource => BulkRoute.Of(resource, catalog)).Concat(_codedRoutes).ToList();
        foreach (var route in routes)
        {
            if (routes.Any(other => other != route && other.Method == route.Method && other.Path == route.Path))
                throw new ArgumentException($"Two operations are at {route.Method} {route.Path}.");
            if (route.Path.Split('/')[0] == ApiUrls.JobsSegment)
                throw new ArgumentException($"'{route.Path}' is where the API jobs themselves are; choose another path.");
        }

        return new(catalog, routes, _readCaller);
    }
}

/// <summary>What an application declared, checked.</summary>
internal sealed record ApiJobsDeclarations(
    ResourceCatalog Resources, IReadOnlyList<BulkRoute> BulkRoutes, ReadCaller ReadCaller);
