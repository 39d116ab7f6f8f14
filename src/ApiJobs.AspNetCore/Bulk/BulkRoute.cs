using ApiJobs.AspNetCore.Callers;
using ApiJobs.Operations;
using ApiJobs.Resources;
using Microsoft.AspNetCore.Http;

namespace ApiJobs.AspNetCore.Bulk;

/// <summary>Where an operation's bulk requests are sent.</summary>
/// <param name="Operation">The operation.</param>
/// <param name="Method">The HTTP method.</param>
/// <param name="Path">The path below the API's prefix, without a leading slash.</param>
/// <param name="Scope">The scope the callers need.</param>
internal sealed record BulkRoute(BulkOperation Operation, string Method, string Path, string Scope)
{
    /// <summary>The three operations of a declared resource.</summary>
    public static IEnumerable<BulkRoute> Of(Resource resource, ResourceCatalog catalog) =>
    [
        Of(resource, HttpMethods.Post, ResourceVerb.Create, catalog),
        Of(resource, HttpMethods.Patch, ResourceVerb.Update, catalog),
        Of(resource, HttpMethods.Put, ResourceVerb.Upsert, catalog),
    ];

    private static BulkRoute Of(Resource resource, string method, ResourceVerb verb, ResourceCatalog catalog) =>
        new(new ResourceOperation(resource, verb, catalog), method, $"{resource.Path}/bulk", Scopes.Write(resource.Path));
}
