using Microsoft.OpenApi;

namespace ApiJobs.AspNetCore.OpenApi;

/// <summary>Puts what several operations share into a document once, and refers to it. Whoever describes an operation first brings along what it needs.</summary>
internal static class Components
{
    /// <summary>A schema by its name, which is also what generated clients call its type.</summary>
    public static IOpenApiSchema Schema(this OpenApiDocument document, string name, Func<OpenApiSchema> make)
    {
        if (document.Components?.Schemas?.ContainsKey(name) != true)
            document.AddComponent<IOpenApiSchema>(name, make());
        return new OpenApiSchemaReference(name, document);
    }

    /// <summary>An answer by its name.</summary>
    public static IOpenApiResponse Response(this OpenApiDocument document, string name, Func<OpenApiResponse> make)
    {
        if (document.Components?.Responses?.ContainsKey(name) != true)
            document.AddComponent<IOpenApiResponse>(name, make());
        return new OpenApiResponseReference(name, document);
    }

    /// <summary>A header of answers by its name.</summary>
    public static IOpenApiHeader Header(this OpenApiDocument document, string name, Func<OpenApiHeader> make)
    {
        if (document.Components?.Headers?.ContainsKey(name) != true)
            document.AddComponent<IOpenApiHeader>(name, make());
        return new OpenApiHeaderReference(name, document);
    }

    /// <summary>A parameter by its name.</summary>
    public static IOpenApiParameter Parameter(this OpenApiDocument document, string name, Func<OpenApiParameter> make)
    {
        if (document.Components?.Parameters?.ContainsKey(name) != true)
            document.AddComponent<IOpenApiParameter>(name, make());
        return new OpenApiParameterReference(name, document);
    }
}
