using System.Data.Common;
using ApiJobs.Resources;
using ApiJobs.Storage;
using static ApiJobs.Stores.Tests.Conformance.TestResources;

namespace ApiJobs.Stores.Tests.Conformance;

/// <summary>A bad record fails alone: what is done under a savepoint can be undone, and the transaction goes on.</summary>
public abstract class SavepointTests(StoreFixture stores) : StoreTests(stores)
{
    [Fact]
    public async Task What_is_done_under_a_savepoint_is_kept()
    {
        await InTransactionAsync(Company, transaction => transaction.InSavepointAsync(() => InsertAsync(transaction, "inside"), Cancel));

        (await RefsAsync()).ShouldBe(["inside"]);
    }

    [Fact]
    public async Task Work_that_throws_is_undone_and_its_exception_comes_through()
    {
        var fault = new InvalidOperationException("After the write.");

        await InTransactionAsync(Company, async transaction =>
        {
            await InsertAsync(transaction, "before");
            var thrown = await Should.ThrowAsync<InvalidOperationException>(transaction.InSavepointAsync(async () =>
            {
                await InsertAsync(transaction, "inside");
                throw fault;
            }, Cancel));
            thrown.ShouldBeSameAs(fault);
            await InsertAsync(transaction, "after");
        });

        (await RefsAsync()).ShouldBe(["after", "before"]);
    }

    [Fact]
    public async Task A_savepoint_isolates_a_broken_constraint()
    {
        await InsertAsync(Company, Row(Guid.CreateVersion7(), Now, ("ref", "taken")));

        await InTransactionAsync(Company, async transaction =>
        {
            await InsertAsync(transaction, "good");
            var thrown = await Should.ThrowAsync<DbException>(transaction.InSavepointAsync(async () =>
            {
                await InsertAsync(transaction, "lost");
                await InsertAsync(transaction, "taken");
            }, Cancel));
            Store.Classify(thrown).ShouldBe(StoreFault.Constraint);
            await InsertAsync(transaction, "also good");
        });

        (await RefsAsync()).ShouldBe(["also good", "good", "taken"]);
    }

    [Fact]
    public async Task Savepoints_nest()
    {
        await InTransactionAsync(Company, transaction => transaction.InSavepointAsync(async () =>
        {
            await InsertAsync(transaction, "outer");
            await Should.ThrowAsync<InvalidOperationException>(transaction.InSavepointAsync(async () =>
            {
                await transaction.InSavepointAsync(() => InsertAsync(transaction, "innermost"), Cancel);
                throw new InvalidOperationException("The middle fails, and takes the innermost along.");
            }, Cancel));
            await transaction.InSavepointAsync(() => InsertAsync(transaction, "second inner"), Cancel);
        }, Cancel));

        (await RefsAsync()).ShouldBe(["outer", "second inner"]);
    }

    [Fact]
    public async Task Bisecting_a_chunk_keeps_every_good_row()
    {
        await InsertAsync(Company, Row(Guid.CreateVersion7(), Now, ("ref", "13")), Row(Guid.CreateVersion7(), Now, ("ref", "77")));
        var refused = new List<string?>();

        await InTransactionAsync(Company, transaction => BisectAsync(transaction,
            [.. Enumerable.Range(0, 100).Select(index => New($"{index}"))], refused));

        refused.ShouldBe(["13", "77"]);
        (await RefsAsync()).Count.ShouldBe(100);
    }

    private static async Task BisectAsync(IChunkTransaction transaction, RowWrite[] rows, List<string?> refused)
    {
        try
        {
            await transaction.InSavepointAsync(() => transaction.WriteRowsAsync(Sample, Company, rows, Cancel), Cancel);
        }
        catch (DbException) when (rows.Length == 1)
        {
            refused.Add(rows[0].Row.Values[0]);
        }
        catch (DbException)
        {
            await BisectAsync(transaction, rows[..(rows.Length / 2)], refused);
            await BisectAsync(transaction, rows[(rows.Length / 2)..], refused);
        }
    }

    private Task InsertAsync(IChunkTransaction transaction, string reference) =>
        transaction.WriteRowsAsync(Sample, Company, [New(reference)], Cancel);

    private RowWrite New(string reference) => new(Row(Guid.CreateVersion7(), Now, ("ref", reference)), IsNew: true, 0);

    private async Task<IReadOnlyList<string?>> RefsAsync() =>
        [.. (await Rows.ListRowsAsync(Sample, Company, new() { Limit = 1000 }, Cancel)).Select(row => row.Values[0]).Order(StringComparer.Ordinal)];
}
