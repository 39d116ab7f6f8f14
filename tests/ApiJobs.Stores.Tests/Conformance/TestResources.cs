using ApiJobs.Resources;

namespace ApiJobs.Stores.Tests.Conformance;

/// <summary>The resources that the suite declares.</summary>
public static class TestResources
{
    /// <summary>A field of every type, a unique one and a filter of every kind callers may use.</summary>
    public static Resource Sample { get; } = new("sample", "Sample", "samples",
    [
        Field.Text("ref", maxLength: 100) with { IsUnique = true, IsFilter = true },
        Field.Text("notes", maxLength: 1000),
        Field.Text("postcode", maxLength: 10) with { IsFilter = true },
        Field.Uuid("parent_id") with { References = "sample", IsFilter = true },
        Field.Date("birthday"),
        Field.Integer("amount"),
        Field.Boolean("signed"),
        Field.Map("meta"),
    ]);

    /// <summary>One row for each record that was applied. Its ids are made anew each time, so what is applied twice is seen twice.</summary>
    public static Resource Effect { get; } = new("effect", "Effect", "effects",
        [Field.Uuid("job_id"), Field.Integer("record_index"), Field.Integer("sequence")]);

    public static ResourceCatalog Catalog { get; } = new([Sample, Effect]);

    /// <summary>A sample with some fields set and the others null.</summary>
    public static ResourceRow Row(Guid id, DateTimeOffset now, params (string Field, string? Value)[] values)
    {
        var all = new string?[Sample.Fields.Count];
        foreach (var (field, value) in values)
            all[Sample.IndexOf(field)] = value;
        return new(id, all, now, now);
    }

    /// <summary>The set of some of a resource's fields.</summary>
    public static ulong FieldSet(Resource resource, params string[] names) =>
        names.Aggregate(0UL, (set, name) => set | 1UL << resource.IndexOf(name));
}
