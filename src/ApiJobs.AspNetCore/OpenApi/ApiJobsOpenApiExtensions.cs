using ApiJobs.AspNetCore.OpenApi;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.AspNetCore.Routing;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Describes the API in an application's OpenAPI document.</summary>
public static class ApiJobsOpenApiExtensions
{
    /// <summary>Adds to a document how callers show who they are, which scope each operation needs and what its tags are about, and makes its servers relative.</summary>
    /// <remarks>The operations themselves are described in any document of the application.</remarks>
    /// <param name="options">The document's options, in <c>AddOpenApi</c>.</param>
    /// <param name="tokenUrl">Where callers get their tokens by OAuth client credentials, absolute or relative to the server; null if in another way.</param>
    public static OpenApiOptions AddApiJobs(this OpenApiOptions options, Uri? tokenUrl = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        var security = new SecurityTransformer(tokenUrl);
        return options.AddDocumentTransformer(security).AddOperationTransformer(security);
    }

    /// <summary>Serves a document at <c>/openapi/{document}.json</c>, made once: <c>MapOpenApi</c> would make it anew for every request.</summary>
    /// <param name="endpoints">The application's endpoints.</param>
    /// <param name="documentName">The document, as <c>AddOpenApi</c> calls it.</param>
    public static IEndpointConventionBuilder MapApiJobsOpenApi(this IEndpointRouteBuilder endpoints, string documentName = "v1")
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var document = new RenderedDocument(endpoints.ServiceProvider.GetRequiredKeyedService<IOpenApiDocumentProvider>(documentName));
        return endpoints.MapMethods($"/openapi/{documentName}.json", [HttpMethods.Get, HttpMethods.Head], (RequestDelegate)document.GetAsync)
            .ExcludeFromDescription();
    }
}
