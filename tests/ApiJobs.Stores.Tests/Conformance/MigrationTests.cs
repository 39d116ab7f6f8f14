using System.Globalization;
using ApiJobs.Resources;
using ApiJobs.Storage;
using static ApiJobs.Stores.Tests.Conformance.TestResources;

namespace ApiJobs.Stores.Tests.Conformance;

/// <summary>How a schema comes to be, and grows, under data that is there already.</summary>
public abstract class MigrationTests(StoreFixture stores) : StoreTests(stores)
{
    [Fact]
    public async Task Initializing_again_changes_nothing()
    {
        var job = await AcceptAsync(Company, 1, 1);
        var before = await Database.CountRowsAsync();

        await Store.InitializeAsync(Cancel);
        await AnotherNodeAsync();
        await RestartAsync();

        (await Database.CountRowsAsync()).ShouldBe(before, ignoreOrder: true);
        (await FindAsync(job)).ShouldBe(job);
    }

    [Fact]
    public async Task The_schema_may_be_made_by_many_at_once()
    {
        await using var database = await CreateDatabaseAsync();
        var first = database.Connect(Catalog);
        var nodes = Enumerable.Range(0, 4).Select(_ => database.ServesManyNodes ? database.Connect(Catalog) : first).ToArray();

        await Task.WhenAll(nodes.Select(node => Task.Run(() => node.Store.InitializeAsync(Cancel), Cancel)));

        foreach (var node in nodes)
            await AcceptAsync(node.Store, Company, "", 1);
    }

    [Fact]
    public async Task A_new_resource_and_a_new_field_are_added_to_what_is_there()
    {
        await using var database = await CreateDatabaseAsync();
        var young = new Resource("pet", "Pet", "pets", [Field.Text("name", 50)]);
        var grown = new Resource("pet", "Pet", "pets",
            [Field.Text("name", 50), Field.Text("chip", 20) with { IsUnique = true, IsFilter = true }, Field.Map("meta"), Field.Date("born")]);
        var house = new Resource("house", "House", "houses", [Field.Text("street", 50)]);
        var id = Guid.CreateVersion7();
        var node = await database.OpenAsync(new([young]), Cancel);
        await WriteAsync(node, young, new(id, ["Rex"], Now, Now), isNew: true);
        await database.CloseAsync();

        node = await database.OpenAsync(new([grown, house]), Cancel);

        (await FindAsync(node, grown, id)).ShouldBe(["Rex", null, null, null]);
        await WriteAsync(node, grown, new(id, ["Rex", "C1", """{"a":"b"}""", "2020-01-01"], Now, Now), isNew: false);
        (await FindAsync(node, grown, id)).ShouldBe(["Rex", "C1", """{"a":"b"}""", "2020-01-01"]);
        await WriteAsync(node, house, new(id, ["Elm Street"], Now, Now), isNew: true);
        (await FindAsync(node, house, id)).ShouldBe(["Elm Street"]);
        var twin = await Should.ThrowAsync<Exception>(WriteAsync(node, grown, new(Guid.CreateVersion7(), [null, "C1", null, null], Now, Now), isNew: true));
        node.Store.Classify(twin).ShouldBe(StoreFault.Constraint);
    }

    [Fact]
    public async Task A_newer_schema_is_refused()
    {
        await Database.CloseAsync();
        await Database.PretendNewerSchemaAsync();

        await Should.ThrowAsync<SchemaTooNewException>(Database.Connect(Catalog).Store.InitializeAsync(Cancel));
    }

    [Fact]
    public async Task A_resource_may_have_as_many_fields_as_there_are_bits()
    {
        var wide = new Resource("wide", "Wide", "wides", [.. Enumerable.Range(0, Resource.MaxFields).Select(index => Field.Text($"f{index}", 20))]);

        await ExpectUsableAsync(wide);
    }

    // Names become SQL identifiers, so they may be SQL's own words, and as long as the rules for names allow.
    [Fact]
    public async Task Names_may_be_words_of_sql()
    {
        await ExpectUsableAsync(new Resource("order", "Order", "orders",
        [
            Field.Text("select", 10) with { IsUnique = true, IsFilter = true }, Field.Text("group", 10) with { IsFilter = true }, Field.Text("user", 10),
            Field.Text("table", 10), Field.Text("default", 10), Field.Text("limit", 10), Field.Text("rowid", 10), Field.Text("ctid2", 10), Field.Text("values", 10),
        ]));
    }

    [Fact]
    public async Task Names_may_be_long_and_differ_at_their_ends()
    {
        var stem = new string('n', 39);

        await ExpectUsableAsync(new Resource(stem + "r", "Long", "longs",
            [Field.Text(stem + "1", 10) with { IsUnique = true, IsFilter = true }, Field.Text(stem + "2", 10) with { IsUnique = true, IsFilter = true }]));
    }

    [Theory]
    [InlineData("job")]
    [InlineData("chunk")]
    [InlineData("lane")]
    [InlineData("upload")]
    public Task A_resource_may_be_named_almost_like_a_table_of_the_stores(string name) =>
        ExpectUsableAsync(new Resource(name, "Thing", "things", [Field.Text("name", 10)]));

    private async Task ExpectUsableAsync(Resource resource)
    {
        await using var database = await CreateDatabaseAsync();
        var node = await database.OpenAsync(new([resource]), Cancel);
        var id = Guid.CreateVersion7();
        string?[] first = [.. resource.Fields.Select((_, index) => $"{index}")];
        string?[] second = [.. resource.Fields.Select((_, index) => index % 2 == 0 ? null : string.Create(CultureInfo.InvariantCulture, $"new {index}"))];

        await WriteAsync(node, resource, new(id, first, Now, Now), isNew: true);
        (await FindAsync(node, resource, id)).ShouldBe(first);
        foreach (var field in resource.Fields.Where(field => field.IsFilter))
        {
            (await node.Rows.ListRowsAsync(resource, Company, new() { Limit = 10, Equal = [(field, first[resource.IndexOf(field.Name)]!)] }, Cancel))
                .ShouldHaveSingleItem();
        }

        await WriteAsync(node, resource, new(id, second, Now, Now), isNew: false);
        (await FindAsync(node, resource, id)).ShouldBe(second);
    }

    private static async Task WriteAsync(StoreNode node, Resource resource, ResourceRow row, bool isNew)
    {
        await AcceptAsync(node.Store, Company, "", 1);
        var lease = (await node.Store.ClaimLaneAsync(NodeName, LeaseTime, Cancel)).ShouldNotBeNull();
        var chunks = await node.Store.ReadAheadAsync(lease, null, 10, Cancel);
        (await node.Store.ApplyAsync(lease, chunks, async (transaction, cancellationToken) =>
        {
            await transaction.WriteRowsAsync(resource, Company, [new(row, isNew, resource.AllFields)], cancellationToken);
            (await transaction.LoadRowsAsync(resource, Company, [row.Id], resource.AllFields, cancellationToken))[row.Id].Values.ShouldBe(row.Values);
            return [AllCreated(chunks[0])];
        }, Cancel)).ShouldNotBeEmpty();
        await node.Store.ReleaseLaneAsync(lease, fault: null, Cancel);
    }

    private static async Task<string?[]> FindAsync(StoreNode node, Resource resource, Guid id) =>
        (await node.Rows.FindRowAsync(resource, Company, id, Cancel)).ShouldNotBeNull().Values;
}
