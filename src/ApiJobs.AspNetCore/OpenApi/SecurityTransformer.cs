using ApiJobs.AspNetCore.Callers;
using ApiJobs.Declarations;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;

namespace ApiJobs.AspNetCore.OpenApi;

/// <summary>Says in a document how callers show who they are, and which scope each operation needs.</summary>
internal sealed class SecurityTransformer(Uri? tokenUrl) : IOpenApiDocumentTransformer, IOpenApiOperationTransformer
{
    private string Scheme => tokenUrl is null ? "bearer" : "oauth2";

    public Task TransformAsync(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken cancellationToken)
    {
        // Relative: behind a proxy the server does not know its own name, and what a request calls it is anybody's word.
        document.Servers = [new OpenApiServer { Url = "/" }];
        foreach (var tag in document.Tags ?? new HashSet<OpenApiTag>())
            tag.Description ??= Descriptions.OfTag(tag.Name!);
        document.AddComponent<IOpenApiSecurityScheme>(Scheme, tokenUrl is null
            ? new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer", Description = "An access token: Authorization: Bearer …" }
            : new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.OAuth2,
                Description = "A client's own token (RFC 6749, section 4.4), sent as Authorization: Bearer …",
                Flows = new()
                {
                    ClientCredentials = new()
                    {
                        TokenUrl = tokenUrl,
                        Scopes = context.ApplicationServices.GetRequiredService<ApiJobsDeclarations>().Scopes.ToDictionary(scope => scope, DescriptionOf),
                    },
                },
            });
        return Task.CompletedTask;
    }

    public Task TransformAsync(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        var metadata = context.Description.ActionDescriptor.EndpointMetadata;
        var scopes = metadata.OfType<RequiredScope>().Select(scope => scope.Name).ToList();
        if (scopes.Count > 0 || metadata.OfType<IAuthorizeData>().Any())
            operation.Security = [new() { [new(Scheme, context.Document)] = scopes }];
        return Task.CompletedTask;
    }

    // cases:write
    private static string DescriptionOf(string scope) => scope.Split(':') is [var path, var verb] ? $"To {verb} {path}." : scope;
}
