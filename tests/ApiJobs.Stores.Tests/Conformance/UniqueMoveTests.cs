using System.Globalization;
using ApiJobs.Resources;
using ApiJobs.Storage;
using static ApiJobs.Stores.Tests.Conformance.TestResources;

namespace ApiJobs.Stores.Tests.Conformance;

/// <summary>Values of a unique field that move from row to row in one write: what the rows are at last is legal, whatever lies between.</summary>
/// <remarks>The engine decides record by record, and hands over the rows as they are at last; no order of theirs avoids every meeting on the way.</remarks>
public abstract class UniqueMoveTests(StoreFixture stores) : StoreTests(stores)
{
    private const int Count = 50;

    private readonly Guid[] _ids = [.. Enumerable.Range(0, Count).Select(_ => Guid.CreateVersion7())];

    [Theory]
    [InlineData("last first")]
    [InlineData("first first")]
    [InlineData("in any order")]
    public async Task Every_value_may_move_up_by_one_in_one_write(string order)
    {
        await InsertAsync(Company, [.. Enumerable.Range(0, Count).Select(index => Row(_ids[index], Now, ("ref", Ref(index)), ("notes", "n")))]);
        var indexes = Enumerable.Range(0, Count).ToArray();
        if (order == "last first")
            Array.Reverse(indexes);
        else if (order == "in any order")
            new Random(1).Shuffle(indexes);

        await WriteAsync([.. indexes.Select(index => Moved(index, index + 1))]);

        (await RefsAsync()).ShouldBe(Enumerable.Range(1, Count).Select(Ref));
    }

    [Fact]
    public async Task Values_may_change_places_and_go_to_new_rows_in_one_write()
    {
        await InsertAsync(Company, [.. Enumerable.Range(0, 4).Select(index => Row(_ids[index], Now, ("ref", Ref(index))))]);

        await WriteAsync(
        [
            Moved(0, 1), Moved(1, 2), Moved(2, 0),
            new(Row(_ids[3], Now, ("ref", null)), IsNew: false, FieldSet(Sample, "ref")),
            new(Row(_ids[4], Now, ("ref", Ref(3))), IsNew: true, 0),
        ]);

        (await RefsAsync()).ShouldBe([Ref(1), Ref(2), Ref(0), null, Ref(3)]);
    }

    [Fact]
    public async Task A_value_that_a_row_keeps_is_still_refused_and_the_rows_stay_as_they_were()
    {
        await InsertAsync(Company, [.. Enumerable.Range(0, 3).Select(index => Row(_ids[index], Now, ("ref", Ref(index))))]);

        await InTransactionAsync(Company, async transaction =>
        {
            var thrown = await Should.ThrowAsync<Exception>(() => transaction.InSavepointAsync(
                () => transaction.WriteRowsAsync(Sample, Company, [Moved(0, 1), Moved(1, 2)], Cancel), Cancel));
            Store.Classify(thrown).ShouldBe(StoreFault.Constraint);
        });

        (await RefsAsync()).ShouldBe([Ref(0), Ref(1), Ref(2)]);
    }

    [Fact]
    public async Task Rows_that_differ_may_exchange_their_values_too_and_only_they_are_updated()
    {
        await InsertAsync(Company, [.. Enumerable.Range(0, 5).Select(index => Row(_ids[index], Now, ("ref", Ref(index))))]);

        HashSet<Guid> updated = [];
        await InTransactionAsync(Company, async transaction => updated = await transaction.UpdateDifferingAsync(Sample, Company,
        [
            Moved(0, 1), Moved(1, 2), Moved(2, 0), Moved(3, 3),
            new(Row(_ids[4], Now, ("ref", null)), IsNew: false, FieldSet(Sample, "ref")), Moved(5, 4),
        ], Cancel));

        updated.ShouldBe([_ids[0], _ids[1], _ids[2], _ids[4]], ignoreOrder: true);
        (await RefsAsync()).ShouldBe([Ref(1), Ref(2), Ref(0), Ref(3), null]);
    }

    private static string Ref(int index) => string.Create(CultureInfo.InvariantCulture, $"R{index:D4}");

    private RowWrite Moved(int row, int to) => new(Row(_ids[row], Now, ("ref", Ref(to))), IsNew: false, FieldSet(Sample, "ref"));

    private Task WriteAsync(IReadOnlyList<RowWrite> rows) =>
        InTransactionAsync(Company, transaction => transaction.WriteRowsAsync(Sample, Company, rows, Cancel));

    private async Task<IEnumerable<string?>> RefsAsync()
    {
        var rows = await Rows.ListRowsAsync(Sample, Company, new() { Limit = Count }, Cancel);
        return rows.OrderBy(row => Array.IndexOf(_ids, row.Id)).Select(row => row.Values[Sample.IndexOf("ref")]);
    }
}

public sealed class SqliteUniqueMove(SqliteStores stores) : UniqueMoveTests(stores);

public sealed class PostgreSqlUniqueMove(PostgreSqlStores stores) : UniqueMoveTests(stores);
