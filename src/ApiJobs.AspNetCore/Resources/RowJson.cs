using System.Text.Json;
using ApiJobs.AspNetCore.Answers;
using ApiJobs.Resources;

namespace ApiJobs.AspNetCore.Resources;

/// <summary>Writes rows: the id, the declared fields in their order and with their JSON types, and the two times.</summary>
internal static class RowJson
{
    public static void WriteList(Utf8JsonWriter json, Resource resource, IReadOnlyList<ResourceRow> rows)
    {
        json.WriteStartObject();
        json.WriteStartArray("data"u8);
        foreach (var row in rows)
            Write(json, resource, row);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    public static void Write(Utf8JsonWriter json, Resource resource, ResourceRow row)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, row.Id);
        for (var index = 0; index < resource.Fields.Count; index++)
        {
            json.WritePropertyName(resource.Fields[index].Name);
            WriteValue(json, resource.Fields[index].Type, row.Values[index]);
        }

        json.WriteMicroseconds("created_at"u8, row.CreatedAt);
        json.WriteMicroseconds("updated_at"u8, row.UpdatedAt);
        json.WriteEndObject();
    }

    private static void WriteValue(Utf8JsonWriter json, FieldType type, string? value)
    {
        switch (type)
        {
            // A map without members is stored as null, and is a map all the same.
            case FieldType.Map:
                json.WriteRawValue(value ?? "{}");
                break;
            // The canonical forms of these are JSON already.
            case FieldType.Integer or FieldType.Boolean when value is not null:
                json.WriteRawValue(value);
                break;
            default:
                json.WriteStringValue(value);
                break;
        }
    }
}
