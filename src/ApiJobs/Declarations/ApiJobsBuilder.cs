using ApiJobs.Operations;
using ApiJobs.Resources;
using Microsoft.Extensions.DependencyInjection;

namespace ApiJobs.Declarations;

/// <summary>Collects what an application offers: its resources and its own operations.</summary>
/// <remarks>Processes that serve requests and processes that only work on jobs declare the same.</remarks>
public sealed class ApiJobsBuilder
{
    private readonly List<Resource> _resources = [];
    private readonly List<DeclaredRoute> _codedRoutes = [];

    internal ApiJobsBuilder()
    {
    }

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
    /// <param name="method">The HTTP method of its bulk requests: <c>POST</c>.</param>
    /// <param name="path">Its path below the API's prefix, without a leading slash: <c>cases/tags/bulk</c>.</param>
    /// <param name="scope">The scope its callers need; unless given, <c>:write</c> of the path's first segment: <c>cases:write</c>.</param>
    /// <returns>This builder.</returns>
    public ApiJobsBuilder AddOperation(BulkOperation operation, string method, string path, string? scope = null)
    {
        ArgumentNullException.ThrowIfNull(operation);
        return AddOperation(_ => operation, serviceType: null, method, path, scope);
    }

    /// <summary>Offers an operation written by hand that the application's services make: its constructor may ask for any of them.</summary>
    /// <remarks>One instance serves all requests, unless the application registers the type in another way; make a scope where a scoped service is needed.</remarks>
    /// <typeparam name="TOperation">The operation.</typeparam>
    /// <inheritdoc cref="AddOperation(BulkOperation, string, string, string?)"/>
    public ApiJobsBuilder AddOperation<TOperation>(string method, string path, string? scope = null)
        where TOperation : BulkOperation =>
        AddOperation(services => services.GetRequiredService<TOperation>(), typeof(TOperation), method, path, scope);

    internal ApiJobsDeclarations Build()
    {
        var catalog = new ResourceCatalog(_resources);
        return new(catalog, [.. _resources.SelectMany(resource => DeclaredRoute.Of(resource, catalog)), .. _codedRoutes]);
    }

    private ApiJobsBuilder AddOperation(
        Func<IServiceProvider, BulkOperation> make, Type? serviceType, string method, string path, string? scope)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(method);
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        if (path.StartsWith('/') || path.EndsWith('/') || path.Contains('{', StringComparison.Ordinal))
            throw new ArgumentException($"'{path}' is not a path for an operation: leave out the outer slashes, and use no parameters.", nameof(path));
        _codedRoutes.Add(new(make, serviceType, method, path, scope ?? ApiScopes.Write(path.Split('/')[0])));
        return this;
    }
}
