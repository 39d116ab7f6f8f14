using System.Globalization;
using System.Text.Json.Nodes;
using ApiJobs.AspNetCore.Requests;
using Microsoft.AspNetCore.Builder;
using Microsoft.OpenApi;

namespace ApiJobs.AspNetCore.OpenApi;

/// <summary>Says of an operation what a document cannot see for itself, as the endpoints read requests and write answers by hand. Any document of the application has it.</summary>
internal static class OperationDescription
{
    /// <summary>Names an operation for generated clients.</summary>
    /// <remarks>Not as the endpoint's name, which must be unique: GET and HEAD are two endpoints.</remarks>
    public static RouteHandlerBuilder WithOperationId(this RouteHandlerBuilder endpoint, string id) => endpoint.Describe((operation, _) =>
    {
        operation.OperationId = id;
        // Everything that is answered is described.
        operation.Responses = [];
        foreach (var parameter in (operation.Parameters ?? []).OfType<OpenApiParameter>().Where(parameter => parameter.In == ParameterLocation.Path))
        {
            parameter.Description = "Its id.";
            parameter.Schema = SchemaOf.Uuid();
        }
    });

    /// <summary>Describes the query parameters.</summary>
    public static RouteHandlerBuilder WithParameters(this RouteHandlerBuilder endpoint, IReadOnlyList<QueryParameter> parameters) => endpoint.Describe((operation, _) =>
    {
        foreach (var parameter in parameters)
        {
            (operation.Parameters ??= []).Add(new OpenApiParameter
            {
                Name = parameter.Name,
                In = ParameterLocation.Query,
                Description = parameter.Description,
                Schema = parameter.IsList ? SchemaOf.Array(ValueOf(parameter)) : ValueOf(parameter),
                Style = parameter.IsList ? ParameterStyle.Form : null,
                Explode = !parameter.IsList,
            });
        }
    });

    /// <summary>Describes headers that a request may have.</summary>
    public static RouteHandlerBuilder WithHeaders(this RouteHandlerBuilder endpoint, params Func<OpenApiDocument, IOpenApiParameter>[] headers) =>
        endpoint.Describe((operation, document) =>
        {
            foreach (var header in headers)
                (operation.Parameters ??= []).Add(header(document));
        });

    /// <summary>Describes an answer of JSON.</summary>
    public static RouteHandlerBuilder Answers(
        this RouteHandlerBuilder endpoint, int status, string description, Func<OpenApiDocument, IOpenApiSchema> schema,
        IReadOnlyDictionary<string, JsonNode> examples, params Func<OpenApiDocument, (string, IOpenApiHeader)>[] headers) =>
        endpoint.AnswersAs(status, description, headers, ("application/json", schema, examples));

    /// <summary>Describes an answer of whatever media types, or without a body.</summary>
    public static RouteHandlerBuilder AnswersAs(
        this RouteHandlerBuilder endpoint, int status, string description, IReadOnlyList<Func<OpenApiDocument, (string, IOpenApiHeader)>> headers,
        params (string MediaType, Func<OpenApiDocument, IOpenApiSchema> Schema, IReadOnlyDictionary<string, JsonNode> Examples)[] content) =>
        endpoint.Describe((operation, document) => operation.Responses!.Add(status.ToString(CultureInfo.InvariantCulture), new OpenApiResponse
        {
            Description = description,
            Headers = HeadersOf([.. headers.Select(header => header(document)), .. document.RateLimits(), document.CacheControl()]),
            Content = content.Length == 0 ? null : content.ToDictionary(body => body.MediaType, body => MediaType(body.Schema(document), body.Examples)),
        }));

    /// <summary>Describes the refusals.</summary>
    public static RouteHandlerBuilder Refuses(this RouteHandlerBuilder endpoint, Refusals refusals) => endpoint.Describe(refusals.AddTo);

    /// <summary>Describes a body.</summary>
    /// <remarks>
    /// The usual way, endpoint metadata, would make routing refuse other media types before anybody has asked who is calling. Forms of one file, and
    /// records in an object, are told of in words only: NSwag makes clients that send forms and nothing else of a document that lists forms, and
    /// nothing that can be used of a body that is one thing or another.
    /// </remarks>
    public static RouteHandlerBuilder WithBody(
        this RouteHandlerBuilder endpoint, string description,
        params (string MediaType, Func<OpenApiDocument, IOpenApiSchema> Schema, IReadOnlyDictionary<string, JsonNode> Examples)[] content) =>
        endpoint.Describe((operation, document) => operation.RequestBody = new OpenApiRequestBody
        {
            Required = true,
            Description = description,
            Content = content.ToDictionary(body => body.MediaType, body => MediaType(body.Schema(document), body.Examples)),
        });

    /// <summary>Headers by name.</summary>
    public static Dictionary<string, IOpenApiHeader> HeadersOf(IEnumerable<(string Name, IOpenApiHeader Header)> headers) =>
        headers.ToDictionary(header => header.Name, header => header.Header);

    private static OpenApiMediaType MediaType(IOpenApiSchema schema, IReadOnlyDictionary<string, JsonNode> examples) => new()
    {
        Schema = schema,
        Examples = examples.Count == 0 ? null : examples.ToDictionary(example => example.Key, example => (IOpenApiExample)new OpenApiExample { Value = example.Value.DeepClone() }),
    };

    private static OpenApiSchema ValueOf(QueryParameter parameter) => parameter.Kind switch
    {
        QueryValueKind.Number => new()
        {
            Type = JsonSchemaType.Integer,
            Format = "int32",
            Minimum = parameter.Range.Min.ToString(CultureInfo.InvariantCulture),
            Maximum = parameter.Range.Max.ToString(CultureInfo.InvariantCulture),
            Default = parameter.Default is { } number ? JsonValue.Create(number) : null,
        },
        QueryValueKind.Flag => new() { Type = JsonSchemaType.Boolean },
        QueryValueKind.Id => new() { Type = JsonSchemaType.String, Format = "uuid" },
        QueryValueKind.Date => new() { Type = JsonSchemaType.String, Format = "date" },
        _ => new() { Type = JsonSchemaType.String, Pattern = parameter.Pattern, Enum = parameter.Values is { } values ? [.. values.Select(value => (JsonNode)value)] : null },
    };

    private static RouteHandlerBuilder Describe(this RouteHandlerBuilder endpoint, Action<OpenApiOperation, OpenApiDocument> describe) =>
        endpoint.AddOpenApiOperationTransformer((operation, context, _) =>
        {
            describe(operation, context.Document!);
            return Task.CompletedTask;
        });
}
