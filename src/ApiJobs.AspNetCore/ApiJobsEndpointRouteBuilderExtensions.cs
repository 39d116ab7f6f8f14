using ApiJobs;
using ApiJobs.Admission;
using ApiJobs.AspNetCore;
using ApiJobs.AspNetCore.Bulk;
using ApiJobs.AspNetCore.Callers;
using ApiJobs.AspNetCore.Jobs;
using ApiJobs.AspNetCore.Limits;
using ApiJobs.AspNetCore.OpenApi;
using ApiJobs.AspNetCore.Requests;
using ApiJobs.AspNetCore.Resources;
using ApiJobs.Declarations;
using ApiJobs.Intake;
using ApiJobs.Operations;
using ApiJobs.Resources;
using ApiJobs.Storage;
using ApiJobs.Waiting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Adds the API's endpoints to an application.</summary>
public static class ApiJobsEndpointRouteBuilderExtensions
{
    /// <summary>Maps the API jobs, the bulk requests of every operation, and the rows of every resource, as declared to <c>AddApiJobs</c>.</summary>
    /// <remarks>
    /// Every endpoint asks for the caller first (401), counts its requests (429), asks for the endpoint's scope (403), and refuses query
    /// parameters that it does not have (400). What a caller may take is in the configuration section <c>Limits</c>; each call counts for itself. Errors are problems (RFC 9457) with a stable <c>code</c>.
    /// </remarks>
    /// <param name="endpoints">The application's endpoints; not a group, because answers hold absolute paths.</param>
    /// <param name="prefix">The path that all of them begin with, for example <c>/engine/api</c>.</param>
    /// <param name="readCaller">Says how a request's caller is found; unless given, from the claims of the authenticated user:
    /// <c>company_id</c>, <c>scope</c> and <c>client_id</c>.</param>
    /// <returns>The group of all endpoints, for the application's own policies. Endpoints that the application adds to it are not guarded.</returns>
    /// <exception cref="ArgumentException"><paramref name="endpoints"/> is a group, or <paramref name="prefix"/> has parameters or no leading slash.</exception>
    public static RouteGroupBuilder MapApiJobs(this IEndpointRouteBuilder endpoints, string prefix, ReadCaller? readCaller = null)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(prefix);
        if (endpoints is RouteGroupBuilder)
            throw new ArgumentException("Map the API to the application itself, and give the whole prefix: answers hold absolute paths.", nameof(endpoints));
        if (!prefix.StartsWith('/') || prefix.Contains('{', StringComparison.Ordinal))
            throw new ArgumentException($"'{prefix}' cannot be the API's prefix: begin with a slash, and use no parameters.", nameof(prefix));

        var services = endpoints.ServiceProvider;
        var engine = services.GetRequiredService<ApiJobEngine>();
        var urls = new ApiUrls(prefix);
        var examples = new Examples(urls);
        var group = endpoints.MapGroup(prefix);
        var api = group.MapGroup("");
        var admission = services.GetRequiredService<IOptions<AdmissionOptions>>().Value;
        var (requests, uploads) = (new RequestLimits(admission), new UploadLimits(admission));
        services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopped.Register(() =>
        {
            requests.Dispose();
            uploads.Dispose();
        });
        EndpointGuard.AddTo(api, readCaller ?? ClaimsCaller.ReadAsync, requests);

        var list = new JobListEndpoint(engine, services.GetRequiredService<OperationCatalog>(), urls);
        api.MapRead("/api-jobs", list.ListAsync)
            .NeedsScope(ApiScopes.JobsRead).Takes(list.Parameters).DescribeJobs(examples);

        var jobs = new JobEndpoint(engine, urls);
        api.MapRead("/api-jobs/{id}", jobs.GetAsync)
            .NeedsScope(ApiScopes.JobsRead).Takes(JobEndpoint.Parameters).DescribeJob(examples);

        var intake = services.GetRequiredService<IOptions<IntakeOptions>>().Value;
        var records = new RecordsEndpoint(engine, intake, urls);
        api.MapRead("/api-jobs/{id}/records", records.ListAsync)
            .NeedsScope(ApiScopes.JobsRead).Takes(RecordsEndpoint.Parameters).DescribeRecords();

        api.MapRead("/api-jobs/{id}/errors", new ErrorsEndpoint(engine).ListAsync)
            .NeedsScope(ApiScopes.JobsRead).DescribeErrors();
        var changes = new ChangeEndpoints(engine, services.GetRequiredService<BulkRoutes>(), urls);
        api.MapPost("/api-jobs/{id}/cancel", changes.CancelAsync)
            .NeedsScope(ApiScopes.JobsWrite).WithMetadata(new ChangesJobs()).DescribeCancel(examples);
        api.MapPost("/api-jobs/{id}/retry", changes.RetryAsync)
            .NeedsScope(ApiScopes.JobsWrite).WithMetadata(new ChangesJobs()).DescribeRetry(examples);
        api.MapPost("/api-jobs/{id}/promote", changes.PromoteAsync)
            .NeedsScope(ApiScopes.JobsWrite).WithMetadata(new ChangesJobs()).DescribePromote(examples);
        var events = new EventsEndpoint(
            engine, urls, services.GetRequiredService<IOptions<WaitOptions>>().Value, services.GetRequiredService<TimeProvider>());
        api.MapRead("/api-jobs/{id}/events", events.StreamAsync)
            .NeedsScope(ApiScopes.JobsRead).DescribeEvents(examples);
        var limits = new LimitsEndpoint(engine, admission, intake, requests, uploads);
        api.MapRead("/limits", limits.GetAsync)
            .NeedsScope(ApiScopes.JobsRead).DescribeLimits();
        api.MapRead("/api-jobs/{id}/log", new JobLogEndpoint(engine).GetAsync)
            .NeedsScope(ApiScopes.JobsRead).DescribeLog();

        foreach (var route in services.GetRequiredService<BulkRoutes>().All)
        {
            var bulk = new BulkEndpoint(route, engine, intake, uploads, urls);
            api.MapMethods($"/{route.Path}", [route.Method], (Delegate)bulk.AcceptAsync)
                .NeedsScope(route.Scope).Takes(bulk.Parameters).WithMetadata(bulk, new ChangesJobs()).DescribeBulk(route, examples);
        }

        foreach (var resource in services.GetRequiredService<ResourceCatalog>().All)
        {
            var rows = new RowEndpoints(resource, services.GetRequiredService<IResourceStore>());
            api.MapRead($"/{resource.Path}", rows.ListAsync)
                .NeedsScope(ApiScopes.Read(resource.Path)).Takes(rows.Parameters).DescribeRows(resource);
            api.MapRead($"/{resource.Path}/{{id}}", rows.GetAsync)
                .NeedsScope(ApiScopes.Read(resource.Path)).DescribeRow(resource);
            // Without this, GET /cases/bulk would be the case whose id is "bulk".
            api.Map($"/{resource.Path}/bulk", (Delegate)new OtherMethods("PATCH, POST, PUT").RefuseAsync)
                .NeedsScope(ApiScopes.Write(resource.Path)).ExcludeFromDescription();
        }

        return group;
    }

    // HEAD is GET without the body; described beside it, it would have the same operation id.
    private static RouteHandlerBuilder MapRead(this RouteGroupBuilder api, string pattern, Delegate handler) => new([
        api.MapMethods(pattern, [HttpMethods.Get], handler),
        api.MapMethods(pattern, [HttpMethods.Head], handler).ExcludeFromDescription(),
    ]);

    private static RouteHandlerBuilder NeedsScope(this RouteHandlerBuilder endpoint, string scope) =>
        endpoint.WithMetadata(new RequiredScope(scope));

    private static RouteHandlerBuilder Takes(this RouteHandlerBuilder endpoint, IReadOnlyList<QueryParameter> parameters) =>
        endpoint.WithMetadata([.. parameters]).WithParameters(parameters);
}
