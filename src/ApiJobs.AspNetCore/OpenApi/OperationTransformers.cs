using ApiJobs.AspNetCore.Requests;
using ApiJobs.Intake;
using Microsoft.AspNetCore.Builder;
using Microsoft.OpenApi;

namespace ApiJobs.AspNetCore.OpenApi;

/// <summary>Describes what the endpoints read by hand, which a document cannot see for itself. Any document of the application has it.</summary>
internal static class OperationTransformers
{
    /// <summary>Names an operation for generated clients.</summary>
    /// <remarks>Not as the endpoint's name, which must be unique: GET and HEAD are two endpoints.</remarks>
    public static RouteHandlerBuilder WithOperationId(this RouteHandlerBuilder endpoint, string id) => endpoint.Transform(operation => operation.OperationId = id);

    /// <summary>Describes the query parameters.</summary>
    public static RouteHandlerBuilder WithParameters(this RouteHandlerBuilder endpoint, IReadOnlyList<QueryParameter> parameters) => endpoint.Transform(operation =>
    {
        foreach (var parameter in parameters)
        {
            (operation.Parameters ??= []).Add(new OpenApiParameter
            {
                Name = parameter.Name,
                In = ParameterLocation.Query,
                Description = parameter.Description,
                Schema = new OpenApiSchema { Type = parameter.IsNumber ? JsonSchemaType.Integer : parameter.IsFlag ? JsonSchemaType.Boolean : JsonSchemaType.String },
            });
        }
    });

    /// <summary>Describes the header that lets a request be sent again.</summary>
    public static RouteHandlerBuilder WithIdempotencyKey(this RouteHandlerBuilder endpoint) => endpoint.Transform(operation =>
        (operation.Parameters ??= []).Add(new OpenApiParameter
        {
            Name = IdempotencyKey.HeaderName,
            In = ParameterLocation.Header,
            Description = "A key of the client's own for this request, 1 to 255 characters: sent again under it, the same request gets the same job, and another one is refused.",
            Schema = new OpenApiSchema { Type = JsonSchemaType.String },
        }));

    /// <summary>Describes a body of records.</summary>
    /// <remarks>The form is told of in words only: clients generated from a document that lists it send forms and nothing else. The usual way, endpoint metadata, would make routing refuse other media types before anybody has asked who is calling.</remarks>
    public static RouteHandlerBuilder WithRecordsAsBody(this RouteHandlerBuilder endpoint) => endpoint.Transform(operation =>
    {
        var records = new OpenApiSchema { Type = JsonSchemaType.Array, Items = new OpenApiSchema { Type = JsonSchemaType.Object } };
        operation.RequestBody = new OpenApiRequestBody
        {
            Required = true,
            Content = RecordFormats.MediaTypes.ToDictionary(
                type => type, type => new OpenApiMediaType { Schema = type == "application/json" ? records : new OpenApiSchema { Type = JsonSchemaType.String } }),
        };
    });

    /// <summary>Describes the texts that an endpoint answers instead of JSON, to whoever asks for them.</summary>
    public static RouteHandlerBuilder AlsoAnswersAs(this RouteHandlerBuilder endpoint, params string[] mediaTypes) => endpoint.Transform(operation =>
    {
        foreach (var type in mediaTypes)
            operation.Responses!["200"].Content!.Add(type, new OpenApiMediaType { Schema = new OpenApiSchema { Type = JsonSchemaType.String } });
    });

    private static RouteHandlerBuilder Transform(this RouteHandlerBuilder endpoint, Action<OpenApiOperation> transform) =>
        endpoint.AddOpenApiOperationTransformer((operation, _, _) =>
        {
            transform(operation);
            return Task.CompletedTask;
        });
}
