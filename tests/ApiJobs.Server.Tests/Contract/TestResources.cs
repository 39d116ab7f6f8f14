using System.Text.Json.Serialization;
using ApiJobs.Operations;
using ApiJobs.Resources;

namespace ApiJobs.Server.Tests.Contract;

/// <summary>The CRM's resources, and one with a field of every type.</summary>
internal static class TestResources
{
    public static Resource Case { get; } = new("customer_case", "Case", "cases",
    [
        Field.Text("ref", maxLength: 100) with { IsUnique = true, IsFilter = true },
        Field.Map("meta", maxMembers: 5, maxLength: 20),
        Field.Text("email", maxLength: 254),
        Field.Text("notes", maxLength: 10_000),
        Field.Text("postcode", maxLength: 10) with { IsFilter = true },
    ]);

    public static Resource Customer { get; } = new("customer", "Customer", "customers",
    [
        Field.Uuid("customer_case_id") with { References = Case.Name, IsFilter = true },
        Field.Text("last_name", maxLength: 100),
        Field.Date("date_of_birth"),
    ]);

    public static Resource Gadget { get; } = new("gadget", "Gadget", "gadgets",
    [
        Field.Text("name", maxLength: 100),
        Field.Uuid("serial") with { IsFilter = true },
        Field.Date("made_on") with { IsFilter = true },
        Field.Integer("weight") with { IsFilter = true },
        Field.Boolean("works") with { IsFilter = true },
        Field.Map("labels"),
    ]);
}

internal sealed record Tag([property: JsonPropertyName("name")] string? Name);

[JsonSerializable(typeof(Tag))]
internal sealed partial class TagJson : JsonSerializerContext;

/// <summary>An operation written by hand.</summary>
internal sealed class TagCases() : BulkOperation<Tag>("case_tag_bulk_create", "Tag", TagJson.Default.Tag)
{
    protected override string? KeyOf(Tag content) => content.Name;

    protected override Task ApplyAsync(
        IReadOnlyList<BulkRecord<Tag>> records, OperationContext context, CancellationToken cancellationToken)
    {
        foreach (var record in records)
            record.Record.Created();
        return Task.CompletedTask;
    }
}
