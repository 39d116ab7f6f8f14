using ApiJobs.PostgreSql.Schema;
using ApiJobs.Resources;

namespace ApiJobs.Stores.Tests.PostgreSql;

/// <summary>The names of the stores' own tables. PostgreSQL has them all.</summary>
public sealed class OwnTableTests
{
    public static TheoryData<string> Names { get; } = new(OwnTables.All.Select(table => table.Name));

    [Theory]
    [MemberData(nameof(Names))]
    public void A_resource_cannot_be_declared_with_the_name_of_a_table_of_the_stores(string name) =>
        Should.Throw<ArgumentException>(() => new Resource(name, "Note", "notes", [Field.Text("text", maxLength: 10)])).Message.ShouldContain(name);
}
