using System.Text.Json.Nodes;
using ApiJobs.Operations;
using ApiJobs.Resources;
using Microsoft.OpenApi;

namespace ApiJobs.AspNetCore.OpenApi;

/// <summary>The schemas of declared resources: their rows, and the records that make and change them.</summary>
internal static class RowSchemas
{
    private static readonly Guid ExampleId = Guid.Parse("4528a261-917d-4cbc-939e-7ea48cffca69");

    /// <summary>A row as it is answered.</summary>
    public static IOpenApiSchema Row(this OpenApiDocument document, Resource resource) => document.Schema(NameOf(resource), () => SchemaOf.Object(
        $"A {resource.Label.ToLowerInvariant()}.",
        [
            ("id", SchemaOf.Uuid()),
            .. resource.Fields.Select(field => (field.Name, (IOpenApiSchema)Value(field, isSent: false))),
            ("created_at", SchemaOf.Time()),
            ("updated_at", SchemaOf.Time()),
        ]));

    /// <summary>A page of rows.</summary>
    public static IOpenApiSchema Rows(this OpenApiDocument document, Resource resource, int max) => document.Schema($"{NameOf(resource)}List", () => SchemaOf.Object(
        $"A page of {resource.Path}.", ("data", SchemaOf.Array(document.Row(resource), max))));

    /// <summary>A record of a bulk request: of a declared resource's operation, or any object, of a coded one.</summary>
    /// <remarks>A record that breaks it refuses no request; it is an error in the job. So members that it does not name are not forbidden here.</remarks>
    public static IOpenApiSchema Record(this OpenApiDocument document, BulkOperation operation)
    {
        if (operation is not ResourceOperation { Resource: var resource, Verb: var verb })
            return new OpenApiSchema { Type = JsonSchemaType.Object, Description = $"A record of {operation.Type}." };
        return document.Schema($"{NameOf(resource)}{verb}", () =>
        {
            var schema = SchemaOf.Object(Describe(resource, verb)).With(
            [
                ("id", SchemaOf.Uuid(verb == ResourceVerb.Create ? "Made unless given." : "The row's id.")),
                .. resource.Fields.Select(field => (field.Name, (IOpenApiSchema)Value(field, isSent: true))),
            ]);
            if (verb == ResourceVerb.Update)
                schema.Required!.Add("id");
            if (verb == ResourceVerb.Create)
                schema.Required!.UnionWith(resource.Fields.Where(field => field.IsRequired).Select(field => field.Name));
            return schema;
        });
    }

    /// <summary>A record with every field.</summary>
    public static JsonObject ExampleOf(Resource resource) =>
        new([new("id", ExampleId.ToString("D")), .. resource.Fields.Select(field => KeyValuePair.Create(field.Name, JsonNode.Parse(ExampleText(field))))]);

    /// <summary>A row with every field.</summary>
    public static ResourceRow ExampleRow(Resource resource, DateTimeOffset time) => new(
        ExampleId, [.. resource.Fields.Select(field => field.Type is FieldType.Map or FieldType.Integer or FieldType.Boolean ? ExampleText(field) : ExampleText(field).Trim('"'))], time, time);

    private static string Describe(Resource resource, ResourceVerb verb) => verb switch
    {
        ResourceVerb.Create => $"Makes a {resource.Label.ToLowerInvariant()}.",
        ResourceVerb.Update => $"Changes the fields that it names of the {resource.Label.ToLowerInvariant()} with its id. Null clears a field.",
        _ => $"Changes the fields that it names of the {resource.Label.ToLowerInvariant()} that has its key, or makes one. Null clears a field.",
    };

    private static OpenApiSchema Value(Field field, bool isSent)
    {
        var schema = field.Type switch
        {
            FieldType.Uuid => SchemaOf.Uuid(),
            FieldType.Date => new OpenApiSchema { Type = JsonSchemaType.String, Format = "date" },
            FieldType.Integer => new OpenApiSchema { Type = JsonSchemaType.Integer, Format = "int64" },
            FieldType.Boolean => SchemaOf.Flag(),
            FieldType.Map => Map(field, isSent),
            _ => new OpenApiSchema { Type = JsonSchemaType.String, MaxLength = field.MaxLength == int.MaxValue ? null : field.MaxLength },
        };
        schema.Description = string.Join(' ', new[]
        {
            field.References is { } other ? $"The id of a {other.Replace('_', ' ')} of the company." : null,
            field.IsUnique ? "No two rows of a company may have the same." : null,
            field.Type == FieldType.Map && isSent ? "Merged name by name; null removes one." : null,
        }.OfType<string>()) is { Length: > 0 } text ? text : null;
        return isSent ? field.IsRequired ? schema : schema.OrNull() : field.Type == FieldType.Map ? schema : schema.OrNull();
    }

    private static OpenApiSchema Map(Field field, bool isSent) => new()
    {
        Type = JsonSchemaType.Object,
        // A record may remove as many members as it sets.
        MaxProperties = isSent ? 2 * field.MaxMembers : field.MaxMembers,
        AdditionalProperties = new OpenApiSchema
        {
            Type = isSent ? JsonSchemaType.String | JsonSchemaType.Null : JsonSchemaType.String,
            MaxLength = field.MaxLength == int.MaxValue ? null : field.MaxLength,
        },
    };

    private static string ExampleText(Field field) => field.Type switch
    {
        FieldType.Uuid => "\"53c3a84d-8eef-4015-8bc6-499f8eccd161\"",
        FieldType.Date => "\"1984-02-21\"",
        FieldType.Integer => "12",
        FieldType.Boolean => "true",
        FieldType.Map => "{\"source\":\"import\"}",
        _ => $"\"{(field.Name.Length <= field.MaxLength ? field.Name : field.Name[..field.MaxLength])}\"",
    };

    // customer_case is CustomerCase.
    private static string NameOf(Resource resource) => string.Concat(resource.Name.Split('_').Select(word => $"{char.ToUpperInvariant(word[0])}{word[1..]}"));
}
