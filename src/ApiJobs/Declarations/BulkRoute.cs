using ApiJobs.Operations;
using ApiJobs.Resources;

namespace ApiJobs.Declarations;

/// <summary>Where an operation's bulk requests are sent.</summary>
/// <param name="Operation">The operation.</param>
/// <param name="Method">The HTTP method.</param>
/// <param name="Path">The path below the API's prefix, without a leading slash.</param>
/// <param name="Scope">The scope the callers need.</param>
public sealed record BulkRoute(BulkOperation Operation, string Method, string Path, string Scope);

/// <summary>Where the bulk requests of every operation of an application are sent.</summary>
/// <param name="All">One for each operation.</param>
public sealed record BulkRoutes(IReadOnlyList<BulkRoute> All);

/// <summary>A route whose operation is made when the application starts, and may need services.</summary>
/// <param name="MakeOperation">Gives the operation.</param>
/// <param name="ServiceType">The operation's type if the application's services make it; null if the declaration brought it along.</param>
/// <param name="Method">The HTTP method.</param>
/// <param name="Path">The path below the API's prefix, without a leading slash.</param>
/// <param name="Scope">The scope the callers need.</param>
internal sealed record DeclaredRoute(Func<IServiceProvider, BulkOperation> MakeOperation, Type? ServiceType, string Method, string Path, string Scope)
{
    /// <summary>The three operations of a declared resource.</summary>
    public static IEnumerable<DeclaredRoute> Of(Resource resource, ResourceCatalog catalog) =>
    [
        Of(resource, "POST", ResourceVerb.Create, catalog),
        Of(resource, "PATCH", ResourceVerb.Update, catalog),
        Of(resource, "PUT", ResourceVerb.Upsert, catalog),
    ];

    public BulkRoute Resolve(IServiceProvider services) => new(MakeOperation(services), Method, Path, Scope);

    private static DeclaredRoute Of(Resource resource, string method, ResourceVerb verb, ResourceCatalog catalog) =>
        new(_ => new ResourceOperation(resource, verb, catalog), ServiceType: null, method, $"{resource.Path}/bulk", ApiScopes.Write(resource.Path));
}
