using System.Globalization;
using ApiJobs.Resources;
using ApiJobs.Storage;
using static ApiJobs.Stores.Tests.Conformance.TestResources;

namespace ApiJobs.Stores.Tests.Conformance;

/// <summary>Rows of declared resources, as callers read them.</summary>
public abstract class ResourceReadingTests(StoreFixture stores) : StoreTests(stores)
{
    [Fact]
    public async Task A_row_that_does_not_exist_is_not_found()
    {
        (await Rows.FindRowAsync(Sample, Company, Guid.CreateVersion7(), Cancel)).ShouldBeNull();
        (await ListAsync(new() { Limit = 10 })).ShouldBeEmpty();
    }

    [Fact]
    public async Task Rows_are_listed_in_the_order_of_their_ids_with_all_their_fields()
    {
        // Ids that differ in every part of a UUID, some of whose bytes .NET keeps in another order.
        var ids = new[] { "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0100-000000000000", "00000000-0000-0100-0000-000000000000",
            "00000000-0001-0000-0000-000000000000", "00000000-0100-0000-0000-000000000000", "00000001-0000-0000-0000-000000000000",
            "01000000-0000-0000-0000-000000000000", "80000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff" }
            .Select(Guid.Parse).ToArray();
        await InsertAsync(Company, [.. ids.Reverse().Select((id, index) => Row(id, Now, ("amount", index.ToString(CultureInfo.InvariantCulture)), ("notes", "n")))]);

        var rows = await ListAsync(new() { Limit = 100 });

        rows.Select(row => row.Id).ShouldBe(ids);
        rows.Select(row => row.Values[Sample.IndexOf("amount")]).ShouldBe(["8", "7", "6", "5", "4", "3", "2", "1", "0"]);
        rows.ShouldAllBe(row => row.Values[Sample.IndexOf("notes")] == "n" && row.CreatedAt == Now && row.UpdatedAt == Now);
    }

    [Theory]
    [InlineData(0, 3, 3)]
    [InlineData(3, 3, 3)]
    [InlineData(6, 3, 1)]
    [InlineData(7, 3, 0)]
    [InlineData(0, 100, 7)]
    public async Task A_page_is_cut_by_offset_and_limit(int offset, int limit, int expected)
    {
        var ids = Enumerable.Range(0, 7).Select(_ => Guid.CreateVersion7()).Order().ToArray();
        await InsertAsync(Company, [.. ids.Select(id => Row(id, Now))]);

        var rows = await ListAsync(new() { Offset = offset, Limit = limit });

        rows.Count.ShouldBe(expected);
        rows.Select(row => row.Id).ShouldBe(ids.Skip(offset).Take(limit));
    }

    [Fact]
    public async Task Rows_are_filtered_by_exact_values_all_of_which_must_hold()
    {
        var parent = Guid.CreateVersion7().ToString();
        await InsertAsync(Company,
            Row(Guid.CreateVersion7(), Now, ("ref", "1"), ("postcode", "AB1 2CD"), ("parent_id", parent)),
            Row(Guid.CreateVersion7(), Now, ("ref", "2"), ("postcode", "AB1 2CD")),
            Row(Guid.CreateVersion7(), Now, ("ref", "3"), ("postcode", "ab1 2cd"), ("parent_id", parent)),
            Row(Guid.CreateVersion7(), Now, ("ref", "4")));

        (await RefsAsync(("postcode", "AB1 2CD"))).ShouldBe(["1", "2"], ignoreOrder: true);
        (await RefsAsync(("parent_id", parent))).ShouldBe(["1", "3"], ignoreOrder: true);
        (await RefsAsync(("postcode", "AB1 2CD"), ("parent_id", parent))).ShouldBe(["1"]);
        (await RefsAsync(("ref", "4"))).ShouldBe(["4"]);
        (await RefsAsync(("postcode", "%"))).ShouldBeEmpty();
        (await RefsAsync(("postcode", "' OR 1=1 --"))).ShouldBeEmpty();

        async Task<IEnumerable<string?>> RefsAsync(params (string Field, string Value)[] equal) =>
            (await ListAsync(new() { Limit = 100, Equal = [.. equal.Select(pair => (Sample.Fields[Sample.IndexOf(pair.Field)], pair.Value))] }))
            .Select(row => row.Values[0]);
    }

    [Fact]
    public async Task Rows_are_filtered_by_the_time_at_which_they_changed_or_after()
    {
        var ids = Enumerable.Range(0, 3).Select(_ => Guid.CreateVersion7()).Order().ToArray();
        await InsertAsync(Company, [.. ids.Select((id, index) => Row(id, Now.AddMicroseconds(index)))]);

        (await ListAsync(new() { Limit = 100, UpdatedAfter = Now.AddMicroseconds(1) })).Select(row => row.Id).ShouldBe(ids.Skip(1));
        (await ListAsync(new() { Limit = 100, UpdatedAfter = Now.AddMicroseconds(3) })).ShouldBeEmpty();
        (await ListAsync(new() { Limit = 100, UpdatedAfter = Now.AddSeconds(-1) })).Count.ShouldBe(3);
        (await ListAsync(new() { Limit = 1, Offset = 1, UpdatedAfter = Now.AddMicroseconds(1) })).ShouldHaveSingleItem().Id.ShouldBe(ids[2]);
    }

    private Task<IReadOnlyList<ResourceRow>> ListAsync(ResourceQuery query) => Rows.ListRowsAsync(Sample, Company, query, Cancel);
}
