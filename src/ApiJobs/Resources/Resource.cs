using System.Collections.Frozen;

namespace ApiJobs.Resources;

/// <summary>A kind of record behind the API, declared: the engine makes its bulk operations, validation, no-op detection and SQL.</summary>
/// <remarks>
/// Every row has, beside the declared fields: the company it belongs to, a UUID <c>id</c> as its key, and the times
/// <c>created_at</c> and <c>updated_at</c>. Records may set none of these but the <c>id</c>.
/// </remarks>
public sealed class Resource
{
    /// <summary>The most fields a resource may have: one bit each in a 64-bit set.</summary>
    public const int MaxFields = 64;

    private readonly FrozenDictionary<string, int> _indexByName;

    /// <summary>Declares a resource.</summary>
    /// <param name="name">Its name in job types: <c>customer_case</c> gives <c>customer_case_bulk_update</c>. Also its table's name.</param>
    /// <param name="label">What messages call a record: <c>Case</c>.</param>
    /// <param name="path">Its segment in URLs and scopes: <c>cases</c> gives <c>/cases/bulk</c> and <c>cases:write</c>.</param>
    /// <param name="fields">Its fields, in the order they are shown.</param>
    /// <exception cref="ArgumentException">A name is not a lower-case identifier, is used twice, or is one the engine keeps for itself; or there are more than <see cref="MaxFields"/> fields.</exception>
    public Resource(string name, string label, string path, IReadOnlyList<Field> fields)
    {
        ResourceNames.ThrowIfNotIdentifier(name);
        ArgumentException.ThrowIfNullOrWhiteSpace(label);
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        ArgumentNullException.ThrowIfNull(fields);
        if (ResourceNames.IsStoreTable(name))
            throw new ArgumentException($"'{name}' is the name of a table that the engine has for itself; choose another.", nameof(name));
        if (fields.Count > MaxFields)
            throw new ArgumentException($"Resource '{name}' has {fields.Count} fields; the limit is {MaxFields}.", nameof(fields));
        foreach (var field in fields)
        {
            if (ResourceNames.IsReserved(field.Name))
                throw new ArgumentException($"Resource '{name}' declares '{field.Name}', which every resource has already.", nameof(fields));
            if (field.IsUnique && field.Type != FieldType.Text)
                throw new ArgumentException($"Field '{name}.{field.Name}' is unique but not text.", nameof(fields));
            if (field.References is not null && field.Type != FieldType.Uuid)
                throw new ArgumentException($"Field '{name}.{field.Name}' refers to a resource but is not a UUID.", nameof(fields));
        }

        Name = name;
        Label = label;
        Path = path;
        Fields = [.. fields];
        for (var index = 0; index < Fields.Count; index++)
        {
            if (Fields[index] is { IsUnique: true } or { References: not null } or { Type: FieldType.Map })
                CheckedFields |= 1UL << index;
        }

        RecordMembers = [ResourceNames.Id, .. Fields.Select(field => field.Name)];
        _indexByName = Fields.Select((field, index) => KeyValuePair.Create(field.Name, index)).ToFrozenDictionary(StringComparer.Ordinal);
    }

    /// <summary>Its name in job types, and its table's.</summary>
    public string Name { get; }

    /// <summary>What messages call a record.</summary>
    public string Label { get; }

    /// <summary>Its segment in URLs and scopes.</summary>
    public string Path { get; }

    /// <summary>Its fields, in the order they are shown. A field's position here is its index in <see cref="ResourceRow.Values"/> and its bit in sets of fields.</summary>
    public IReadOnlyList<Field> Fields { get; }

    /// <summary>The members that a record may have: the id and the fields.</summary>
    internal IReadOnlyList<string> RecordMembers { get; }

    /// <summary>The set of all fields.</summary>
    public ulong AllFields => Fields.Count == MaxFields ? ulong.MaxValue : (1UL << Fields.Count) - 1;

    /// <summary>The fields whose new value depends on more than the record: unique ones, references, and maps, which are merged.</summary>
    internal ulong CheckedFields { get; }

    /// <summary>Finds a field's position by its name.</summary>
    /// <returns>The position, or −1 if there is no such field.</returns>
    public int IndexOf(string name) => _indexByName.TryGetValue(name, out var index) ? index : -1;

    /// <summary>The indexes in a set of fields, lowest first.</summary>
    public static IEnumerable<int> IndexesIn(ulong fields)
    {
        for (; fields != 0; fields &= fields - 1)
            yield return System.Numerics.BitOperations.TrailingZeroCount(fields);
    }
}
