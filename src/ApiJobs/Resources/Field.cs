using ApiJobs.Records;

namespace ApiJobs.Resources;

/// <summary>What a field holds. Inside the engine every value is text in one canonical form, so that two values are equal exactly when their texts are.</summary>
public enum FieldType
{
    /// <summary>Text of limited length. Canonical form: itself.</summary>
    Text,

    /// <summary>A UUID. Canonical form: 36 lower-case characters with hyphens.</summary>
    Uuid,

    /// <summary>A calendar date. Canonical form: <c>yyyy-MM-dd</c>.</summary>
    Date,

    /// <summary>A whole number that fits 64 bits. Canonical form: decimal digits with a leading <c>-</c> if negative.</summary>
    Integer,

    /// <summary>True or false. Canonical form: <c>true</c>, <c>false</c>.</summary>
    Boolean,

    /// <summary>Texts by name. Canonical form: a JSON object without white space, names in ordinal order; null when it has no members.</summary>
    Map,
}

/// <summary>A field of a declared resource: its name, type and limits.</summary>
/// <example><code>Field.Text("ref", maxLength: 100) with { IsUnique = true, IsFilter = true }</code></example>
public sealed record Field
{
    private Field(string name, FieldType type)
    {
        ResourceNames.ThrowIfNotIdentifier(name);
        Name = name;
        Type = type;
        Pointer = JsonPointer.To(name);
    }

    /// <summary>The field's name on the wire and its column's: lower-case snake_case.</summary>
    public string Name { get; }

    /// <summary>What it holds.</summary>
    public FieldType Type { get; }

    /// <summary>The JSON Pointer to it in a record.</summary>
    internal string Pointer { get; }

    /// <summary>The longest text allowed, in Unicode code points; for a map, of each value.</summary>
    public int MaxLength { get; init; } = int.MaxValue;

    /// <summary>The most members a map may have.</summary>
    public int MaxMembers { get; init; } = 100;

    /// <summary>No two rows of a company may have the same value; null is no value. Text fields only.</summary>
    public bool IsUnique { get; init; }

    /// <summary>A record that makes a row must have it, and no record may clear it.</summary>
    public bool IsRequired { get; init; }

    /// <summary>Callers may list rows by this field's value.</summary>
    public bool IsFilter { get; init; }

    /// <summary>The name of the resource whose row, in the same company, a UUID field must name; null for none.</summary>
    public string? References { get; init; }

    /// <summary>Declares a text field.</summary>
    /// <param name="name">The field's name.</param>
    /// <param name="maxLength">The longest text allowed, in Unicode code points.</param>
    public static Field Text(string name, int maxLength) => new(name, FieldType.Text) { MaxLength = maxLength };

    /// <summary>Declares a UUID field.</summary>
    public static Field Uuid(string name) => new(name, FieldType.Uuid);

    /// <summary>Declares a date field.</summary>
    public static Field Date(string name) => new(name, FieldType.Date);

    /// <summary>Declares a field of whole numbers.</summary>
    public static Field Integer(string name) => new(name, FieldType.Integer);

    /// <summary>Declares a field that is true or false.</summary>
    public static Field Boolean(string name) => new(name, FieldType.Boolean);

    /// <summary>Declares a field of texts by name. A record merges into it name by name; a null removes one.</summary>
    /// <param name="name">The field's name.</param>
    /// <param name="maxMembers">The most members allowed.</param>
    /// <param name="maxLength">The longest value allowed, in Unicode code points.</param>
    public static Field Map(string name, int maxMembers = 100, int maxLength = 1000) =>
        new(name, FieldType.Map) { MaxMembers = maxMembers, MaxLength = maxLength };
}
