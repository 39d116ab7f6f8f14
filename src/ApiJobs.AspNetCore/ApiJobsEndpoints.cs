using ApiJobs.AspNetCore.Bulk;
using ApiJobs.AspNetCore.Callers;
using ApiJobs.AspNetCore.Jobs;
using ApiJobs.AspNetCore.Resources;
using ApiJobs.AspNetCore.Routing;
using ApiJobs.Intake;
using ApiJobs.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace ApiJobs.AspNetCore;

/// <summary>Adds the API's endpoints to an application.</summary>
public static class ApiJobsEndpoints
{
    /// <summary>Maps the API jobs, the bulk requests of every operation, and the rows of every resource.</summary>
    /// <remarks>
    /// Every endpoint asks for the caller first (401), then for the endpoint's scope (403), and refuses query parameters
    /// that it does not have (400). Errors are problems (RFC 9457) with a stable <c>code</c>.
    /// </remarks>
    /// <param name="endpoints">The application's endpoints; not a group, because answers hold absolute paths.</param>
    /// <param name="prefix">The path that all of them begin with, for example <c>/engine/api</c>.</param>
    /// <returns>The group of all endpoints, for the application's own policies. Endpoints that the application adds to it are not guarded.</returns>
    /// <exception cref="ArgumentException"><paramref name="endpoints"/> is a group, or <paramref name="prefix"/> has parameters or no leading slash.</exception>
    public static RouteGroupBuilder MapApiJobs(this IEndpointRouteBuilder endpoints, string prefix)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(prefix);
        if (endpoints is RouteGroupBuilder)
            throw new ArgumentException("Map the API to the application itself, and give the whole prefix: answers hold absolute paths.", nameof(endpoints));
        if (!prefix.StartsWith('/') || prefix.Contains('{', StringComparison.Ordinal))
            throw new ArgumentException($"'{prefix}' cannot be the API's prefix: begin with a slash, and use no parameters.", nameof(prefix));

        var services = endpoints.ServiceProvider;
        var declarations = services.GetRequiredService<ApiJobsDeclarations>();
        var engine = services.GetRequiredService<ApiJobEngine>();
        var urls = new ApiUrls(prefix);
        var group = endpoints.MapGroup(prefix);
        var api = group.MapGroup("");
        EndpointGuard.AddTo(api, declarations.ReadCaller);

        var jobs = new JobEndpoints(engine, urls);
        api.MapRead("/api-jobs/{id}", jobs.GetAsync)
            .NeedsScope(Scopes.JobsRead).Takes(JobEndpoints.Parameters).DescribeJob();

        var records = new RecordsEndpoint(engine, urls);
        api.MapRead("/api-jobs/{id}/records", records.ListAsync)
            .NeedsScope(Scopes.JobsRead).Takes(RecordsEndpoint.Parameters).DescribeRecords();

        foreach (var route in declarations.BulkRoutes)
        {
            var bulk = new BulkEndpoint(route, engine, services.GetRequiredService<IOptions<IntakeOptions>>().Value, urls);
            api.MapMethods($"/{route.Path}", [route.Method], (Delegate)bulk.AcceptAsync)
                .NeedsScope(route.Scope).Takes(bulk.Parameters).WithMetadata(bulk).DescribeBulk(route);
        }

        foreach (var resource in declarations.Resources.All)
        {
            var rows = new ResourceEndpoints(resource, services.GetRequiredService<IResourceStore>());
            api.MapRead($"/{resource.Path}", rows.ListAsync)
                .NeedsScope(Scopes.Read(resource.Path)).Takes(rows.Parameters).DescribeRows(resource);
            api.MapRead($"/{resource.Path}/{{id}}", rows.GetAsync)
                .NeedsScope(Scopes.Read(resource.Path)).DescribeRow(resource);
            // Without this, GET /cases/bulk would be the case whose id is "bulk".
            api.Map($"/{resource.Path}/bulk", (Delegate)new OtherMethods("PATCH, POST, PUT").RefuseAsync)
                .NeedsScope(Scopes.Write(resource.Path)).ExcludeFromDescription();
        }

        return group;
    }

    private static RouteHandlerBuilder MapRead(this RouteGroupBuilder api, string pattern, Delegate handler) =>
        api.MapMethods(pattern, [HttpMethods.Get, HttpMethods.Head], handler);

    private static RouteHandlerBuilder NeedsScope(this RouteHandlerBuilder endpoint, string scope) =>
        endpoint.WithMetadata(new RequiredScope(scope));

    private static RouteHandlerBuilder Takes(this RouteHandlerBuilder endpoint, IReadOnlyList<QueryParameter> parameters) =>
        endpoint.WithMetadata([.. parameters]);
}
