using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using ApiJobs.Server.Tests.Contract;

namespace ApiJobs.Server.Tests.OpenApi;

/// <summary>Says what of a value is not as a schema of an OpenAPI document has it. Stricter than JSON Schema: a member that the schema does not name is a fault, and so is a keyword that is not known here.</summary>
internal sealed class SchemaCheck(JsonElement document)
{
    private static readonly HashSet<string> Known =
    [
        "$ref", "type", "format", "enum", "pattern", "minLength", "maxLength", "minimum", "maximum", "items", "maxItems", "required", "properties",
        "additionalProperties", "maxProperties", "allOf", "oneOf", "description", "default",
    ];

    /// <summary>The faults of a value, each with its JSON Pointer.</summary>
    public IReadOnlyList<string> FaultsOf(JsonElement value, JsonElement schema)
    {
        var faults = new List<string>();
        Check(value, schema, "", faults, namesAllMembers: true);
        return faults;
    }

    /// <summary>What a reference leads to; anything else is itself.</summary>
    public JsonElement Resolve(JsonElement element)
    {
        while (element.ValueKind == JsonValueKind.Object && element.TryGetProperty("$ref", out var reference))
        {
            var (place, path) = (document, reference.GetString()!);
            path.ShouldStartWith("#/");
            foreach (var step in path[2..].Split('/'))
                place = place.GetProperty(step.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal));
            element = place;
        }

        return element;
    }

    private void Check(JsonElement value, JsonElement schema, string at, List<string> faults, bool namesAllMembers)
    {
        schema = Resolve(schema);
        foreach (var keyword in schema.EnumerateObject().Where(keyword => !Known.Contains(keyword.Name)))
            faults.Add($"{at}: the schema has '{keyword.Name}', which is not checked");
        if (schema.TryGetProperty("type", out var type) && !TypesOf(type).Any(name => IsOf(value, name)))
        {
            faults.Add($"{at}: {value.ValueKind} is not {type.GetRawText()}");
            return;
        }

        if (schema.TryGetProperty("enum", out var values) && value.ValueKind != JsonValueKind.Null && !values.EnumerateArray().Any(other => JsonElement.DeepEquals(other, value)))
            faults.Add($"{at}: {value.GetRawText()} is none of {values.GetRawText()}");
        if (schema.TryGetProperty("allOf", out var all))
        {
            foreach (var part in all.EnumerateArray())
                Check(value, part, at, faults, namesAllMembers: false);
        }

        if (schema.TryGetProperty("oneOf", out var one))
        {
            var of = one.EnumerateArray().Select(part => FaultsOf(value, part)).ToList();
            if (of.Count(partFaults => partFaults.Count == 0) != 1)
                faults.Add($"{at}: not exactly one of the schemas fits: {string.Join("; ", of.SelectMany(partFaults => partFaults))}");
        }

        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                CheckText(value.GetString()!, schema, at, faults);
                break;
            case JsonValueKind.Number:
                if (schema.TryGetProperty("minimum", out var minimum) && value.GetDecimal() < minimum.GetDecimal())
                    faults.Add($"{at}: {value.GetRawText()} is less than {minimum.GetRawText()}");
                if (schema.TryGetProperty("maximum", out var maximum) && value.GetDecimal() > maximum.GetDecimal())
                    faults.Add($"{at}: {value.GetRawText()} is more than {maximum.GetRawText()}");
                break;
            case JsonValueKind.Array:
                if (schema.TryGetProperty("maxItems", out var maxItems) && value.GetArrayLength() > maxItems.GetInt32())
                    faults.Add($"{at}: more than {maxItems.GetRawText()} items");
                if (schema.TryGetProperty("items", out var items))
                {
                    foreach (var (item, index) in value.EnumerateArray().Select((item, index) => (item, index)))
                        Check(item, items, $"{at}/{index}", faults, namesAllMembers: true);
                }

                break;
            case JsonValueKind.Object:
                CheckObject(value, schema, at, faults, namesAllMembers);
                break;
        }
    }

    private void CheckObject(JsonElement value, JsonElement schema, string at, List<string> faults, bool namesAllMembers)
    {
        if (schema.TryGetProperty("required", out var required))
            faults.AddRange(required.EnumerateArray().Select(name => name.GetString()!).Where(name => !value.TryGetProperty(name, out _)).Select(name => $"{at}: '{name}' is missing"));
        if (schema.TryGetProperty("maxProperties", out var most) && value.EnumerateObject().Count() > most.GetInt32())
            faults.Add($"{at}: more than {most.GetRawText()} members");
        var named = NamesIn(schema).ToHashSet(StringComparer.Ordinal);
        var hasOthers = schema.TryGetProperty("additionalProperties", out var others);
        foreach (var member in value.EnumerateObject())
        {
            var memberAt = $"{at}/{member.Name}";
            if (schema.TryGetProperty("properties", out var properties) && properties.TryGetProperty(member.Name, out var own))
                Check(member.Value, own, memberAt, faults, namesAllMembers: true);
            else if (hasOthers)
                Check(member.Value, others, memberAt, faults, namesAllMembers: true);
            else if (namesAllMembers && named.Count > 0 && !named.Contains(member.Name))
                faults.Add($"{memberAt}: the schema does not name it");
        }
    }

    private IEnumerable<string> NamesIn(JsonElement schema)
    {
        schema = Resolve(schema);
        return (schema.TryGetProperty("properties", out var properties) ? properties.MemberNames() : [])
            .Concat(schema.TryGetProperty("allOf", out var all) ? all.EnumerateArray().SelectMany(NamesIn) : []);
    }

    private static void CheckText(string text, JsonElement schema, string at, List<string> faults)
    {
        var length = text.EnumerateRunes().Count();
        if (schema.TryGetProperty("minLength", out var least) && length < least.GetInt32())
            faults.Add($"{at}: shorter than {least.GetRawText()}");
        if (schema.TryGetProperty("maxLength", out var most) && length > most.GetInt32())
            faults.Add($"{at}: longer than {most.GetRawText()}");
        if (schema.TryGetProperty("pattern", out var pattern) && !Regex.IsMatch(text, pattern.GetString()!, RegexOptions.ECMAScript))
            faults.Add($"{at}: '{text}' does not match {pattern.GetString()}");
        if (schema.TryGetProperty("format", out var format) && !HasFormat(text, format.GetString()!))
            faults.Add($"{at}: '{text}' is no {format.GetString()}");
    }

    private static bool HasFormat(string text, string format) => format switch
    {
        "uuid" => Guid.TryParseExact(text, "D", out _),
        "date" => DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _),
        "date-time" => Regex.IsMatch(text, @"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"),
        "uri-reference" => Uri.TryCreate(text, UriKind.RelativeOrAbsolute, out _),
        _ => false,
    };

    private static IEnumerable<string> TypesOf(JsonElement type) =>
        type.ValueKind == JsonValueKind.Array ? type.EnumerateArray().Select(name => name.GetString()!) : [type.GetString()!];

    private static bool IsOf(JsonElement value, string type) => type switch
    {
        "null" => value.ValueKind == JsonValueKind.Null,
        "string" => value.ValueKind == JsonValueKind.String,
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "integer" => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _),
        "number" => value.ValueKind == JsonValueKind.Number,
        "array" => value.ValueKind == JsonValueKind.Array,
        "object" => value.ValueKind == JsonValueKind.Object,
        _ => false,
    };
}
