using ApiJobs.Resources;

namespace ApiJobs.Declarations;

/// <summary>What an application declared, checked.</summary>
public sealed class ApiJobsDeclarations
{
    /// <summary>The first segment of the paths of the API jobs themselves, below the API's prefix.</summary>
    public const string JobsSegment = "api-jobs";

    internal ApiJobsDeclarations(ResourceCatalog resources, IReadOnlyList<DeclaredRoute> routes)
    {
        foreach (var route in routes)
        {
            if (routes.Any(other => other != route && other.Method == route.Method && other.Path == route.Path))
                throw new ArgumentException($"Two operations are at {route.Method} {route.Path}.");
            if (route.Path.Split('/')[0] == JobsSegment)
                throw new ArgumentException($"'{route.Path}' is where the API jobs themselves are; choose another path.");
        }

        (Resources, Routes) = (resources, routes);
        Scopes =
        [
            .. new[] { ApiScopes.JobsRead, ApiScopes.JobsWrite }
                .Concat(resources.All.SelectMany(resource => new[] { ApiScopes.Read(resource.Path), ApiScopes.Write(resource.Path) }))
                .Concat(routes.Select(route => route.Scope))
                .Distinct(StringComparer.Ordinal),
        ];
    }

    /// <summary>The declared resources.</summary>
    public ResourceCatalog Resources { get; }

    /// <summary>Every scope that the endpoints of the declared resources and operations ask for, and those of the API jobs.</summary>
    public IReadOnlyList<string> Scopes { get; }

    internal IReadOnlyList<DeclaredRoute> Routes { get; }

    /// <summary>Checks declarations away from any application: so a token issuer or a command line knows the scopes.</summary>
    /// <exception cref="ArgumentException">A declaration contradicts another.</exception>
    public static ApiJobsDeclarations Of(Action<ApiJobsBuilder> declare)
    {
        ArgumentNullException.ThrowIfNull(declare);
        var builder = new ApiJobsBuilder();
        declare(builder);
        return builder.Build();
    }
}
