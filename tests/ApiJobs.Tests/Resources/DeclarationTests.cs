using ApiJobs.Resources;

namespace ApiJobs.Tests.Resources;

public sealed class DeclarationTests
{
    public static TheoryData<string, Func<object>> Mistakes => new()
    {
        { "Thing", () => Declare("Thing") },
        { "drop table", () => Declare("drop table") },
        { "1st", () => Declare("1st") },
        { "jobs", () => Declare("jobs") },
        { "lane_tails", () => Declare("lane_tails") },
        { "schema_versions", () => Declare("schema_versions") },
        { "idempotency_keys", () => Declare("idempotency_keys") },
        { "oauth_clients", () => Declare("oauth_clients") },
        { "sqlite_stat1", () => Declare("sqlite_stat1") },
        { "pg_class", () => Declare("pg_class") },
        { "id", () => Declare("thing", Field.Text("id", 10)) },
        { "company_id", () => Declare("thing", Field.Uuid("company_id")) },
        { "name\"", () => Field.Text("name\"", 10) },
        { "born", () => Declare("thing", Field.Date("born") with { IsUnique = true }) },
        { "owner", () => Declare("thing", Field.Text("owner", 10) with { References = "thing" }) },
        { "65", () => Declare("thing", [.. Enumerable.Range(0, 65).Select(index => Field.Text($"f{index}", 10))]) },
        { "declared twice", () => new ResourceCatalog([Declare("thing"), Declare("thing")]) },
        { "things", () => new ResourceCatalog([Declare("thing"), Declare("other")]) },
        { "nobody", () => new ResourceCatalog([Declare("thing", Field.Uuid("owner_id") with { References = "nobody" })]) },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void A_wrong_declaration_is_refused_with_what_is_wrong(string named, Func<object> declare) =>
        Should.Throw<ArgumentException>(declare).Message.ShouldContain(named);

    [Fact]
    public void The_set_of_all_fields_has_a_bit_for_each()
    {
        Declare("thing", [.. Enumerable.Range(0, 64).Select(index => Field.Text($"f{index}", 10))]).AllFields.ShouldBe(ulong.MaxValue);
        Declare("thing", Field.Text("a", 1), Field.Text("b", 1)).AllFields.ShouldBe(0b11UL);
        Resource.IndexesIn(0b1010).ShouldBe([1, 3]);
    }

    private static Resource Declare(string name, params Field[] fields) => new(name, "Thing", "things", fields);
}
