using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.OpenApi;

namespace ApiJobs.AspNetCore.OpenApi;

/// <summary>Makes schemas in few words.</summary>
internal static class SchemaOf
{
    public static OpenApiSchema Text(string? description = null, string? pattern = null) =>
        new() { Type = JsonSchemaType.String, Description = description, Pattern = pattern };

    public static OpenApiSchema Uuid(string? description = null) =>
        new() { Type = JsonSchemaType.String, Format = "uuid", Description = description };

    /// <summary>A time with six digits after the point, in UTC.</summary>
    public static OpenApiSchema Time(string? description = null) =>
        new() { Type = JsonSchemaType.String, Format = "date-time", Description = description };

    /// <summary>The seed's form of times: no RFC 3339, so that it has no format.</summary>
    public static OpenApiSchema Seconds(string description) => Text($"{description} UTC, YYYY-MM-DD HH:mm:ss.", @"^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$");

    public static OpenApiSchema Count(string? description = null, long min = 0) => new()
    {
        Type = JsonSchemaType.Integer,
        Format = "int64",
        Minimum = min.ToString(CultureInfo.InvariantCulture),
        Description = description,
    };

    public static OpenApiSchema Flag(string? description = null) => new() { Type = JsonSchemaType.Boolean, Description = description };

    public static OpenApiSchema Enum(IEnumerable<string> values, string? description = null) =>
        new() { Type = JsonSchemaType.String, Enum = [.. values.Select(value => (JsonNode)value)], Description = description };

    public static OpenApiSchema Array(IOpenApiSchema items, int? maxItems = null) =>
        new() { Type = JsonSchemaType.Array, Items = items, MaxItems = maxItems };

    /// <summary>An object that has all these members.</summary>
    public static OpenApiSchema Object(string? description, params (string Name, IOpenApiSchema Schema)[] members) => new()
    {
        Type = JsonSchemaType.Object,
        Description = description,
        Required = members.Select(member => member.Name).ToHashSet(StringComparer.Ordinal),
        Properties = members.ToDictionary(member => member.Name, member => member.Schema),
    };

    /// <summary>Adds members that an object may have or not.</summary>
    public static OpenApiSchema With(this OpenApiSchema schema, params (string Name, IOpenApiSchema Schema)[] optional)
    {
        foreach (var (name, member) in optional)
            schema.Properties!.Add(name, member);
        return schema;
    }

    /// <summary>The same, or null.</summary>
    public static OpenApiSchema OrNull(this OpenApiSchema schema)
    {
        schema.Type |= JsonSchemaType.Null;
        return schema;
    }

    /// <summary>Another schema's values, or null.</summary>
    public static OpenApiSchema OrNull(IOpenApiSchema schema) => new() { OneOf = [schema, new OpenApiSchema { Type = JsonSchemaType.Null }] };
}
