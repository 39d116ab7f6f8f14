using System.Globalization;
using ApiJobs.Resources;
using Npgsql;
using NpgsqlTypes;

namespace ApiJobs.PostgreSql.Resources;

/// <summary>A field's column: its type, and the way between its values and the engine's canonical text.</summary>
internal sealed class FieldColumn
{
    private const string DateFormat = "yyyy-MM-dd";

    private readonly FieldType _type;
    private readonly NpgsqlDbType _elementType;

    internal FieldColumn(Field field)
    {
        Name = $"\"{field.Name}\"";
        _type = field.Type;
        // A map is text, not jsonb: jsonb orders names by length and rewrites escapes, so that equal maps would no longer
        // be equal texts, and a record that changes nothing would look like a change.
        (SqlType, _elementType) = field.Type switch
        {
            FieldType.Text or FieldType.Map => ("text", NpgsqlDbType.Text),
            FieldType.Uuid => ("uuid", NpgsqlDbType.Uuid),
            FieldType.Date => ("date", NpgsqlDbType.Date),
            FieldType.Integer => ("bigint", NpgsqlDbType.Bigint),
            FieldType.Boolean => ("boolean", NpgsqlDbType.Boolean),
            _ => throw new ArgumentException($"Field '{field.Name}' has the type {field.Type}, which this store does not know.", nameof(field)),
        };
    }

    /// <summary>The column's name, quoted: a field may be called <c>order</c>.</summary>
    internal string Name { get; }

    internal string SqlType { get; }

    /// <summary>Reads a value into canonical text.</summary>
    internal string? Read(NpgsqlDataReader row, int ordinal) => row.IsDBNull(ordinal) ? null : _type switch
    {
        FieldType.Uuid => row.GetGuid(ordinal).ToString("D"),
        FieldType.Date => row.GetFieldValue<DateOnly>(ordinal).ToString(DateFormat, CultureInfo.InvariantCulture),
        FieldType.Integer => row.GetInt64(ordinal).ToString(CultureInfo.InvariantCulture),
        FieldType.Boolean => row.GetBoolean(ordinal) ? "true" : "false",
        _ => row.GetString(ordinal),
    };

    /// <summary>One parameter that holds the column's values of many rows.</summary>
    internal NpgsqlParameter Values(IReadOnlyList<RowWrite> rows, int fieldIndex) => _type switch
    {
        FieldType.Uuid => Values<Guid?>(rows, fieldIndex, text => Guid.ParseExact(text, "D")),
        FieldType.Date => Values<DateOnly?>(rows, fieldIndex, text => DateOnly.ParseExact(text, DateFormat, CultureInfo.InvariantCulture)),
        FieldType.Integer => Values<long?>(rows, fieldIndex, text => long.Parse(text, CultureInfo.InvariantCulture)),
        FieldType.Boolean => Values<bool?>(rows, fieldIndex, text => text == "true"),
        _ => Values<string>(rows, fieldIndex, text => text),
    };

    /// <summary>A parameter to compare the column with.</summary>
    /// <returns>Null if no row can hold the value, because it is not of the column's type.</returns>
    internal NpgsqlParameter? Comparand(string text)
    {
        object? value = _type switch
        {
            FieldType.Uuid => Guid.TryParseExact(text, "D", out var id) ? id : null,
            FieldType.Date => DateOnly.TryParseExact(text, DateFormat, CultureInfo.InvariantCulture, DateTimeStyles.None, out var date) ? date : null,
            FieldType.Integer => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null,
            FieldType.Boolean => text switch { "true" => true, "false" => false, _ => null },
            // PostgreSQL refuses U+0000 in text, and UTF-8 has no half surrogate pairs.
            _ => text.Contains('\0', StringComparison.Ordinal) || !IsUnicode(text) ? null : text,
        };
        return value is null ? null : new() { Value = value, NpgsqlDbType = _elementType };
    }

    private NpgsqlParameter<T?[]> Values<T>(IReadOnlyList<RowWrite> rows, int fieldIndex, Func<string, T> parse)
    {
        var values = new T?[rows.Count];
        for (var i = 0; i < values.Length; i++)
            values[i] = rows[i].Row.Values[fieldIndex] is { } text ? parse(text) : default;
        return new NpgsqlParameter<T?[]> { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | _elementType };
    }

    private static bool IsUnicode(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i]))
                continue;
            if (i + 1 == text.Length || !char.IsSurrogatePair(text[i], text[i + 1]))
                return false;
            i++;
        }

        return true;
    }
}
