using System.Globalization;
using ApiJobs.Resources;
using Npgsql;

namespace ApiJobs.Stores.Tests.PostgreSql;

/// <summary>Values of a unique field that move on from row to row in one group.</summary>
public sealed class PostgreSqlUniqueMoveTests(PostgreSqlDatabases databases) : PostgreSqlStoreTest(databases)
{
    private const ulong Ref = 1;

    private readonly Guid _company = Guid.CreateVersion7();
    private readonly DateTimeOffset _now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Two_thousand_rows_take_the_next_ones_value_in_one_write()
    {
        var rows = Enumerable.Range(0, 2_000).Select(number => Row($"r{number}")).ToArray();
        await WriteAsync(rows.Select(row => new RowWrite(row, IsNew: true, 0)));

        await WriteAsync(rows.Select((row, number) => Moved(row, $"r{number + 1}")).Reverse());

        (await RefsAsync(rows)).ShouldBe(Enumerable.Range(1, 2_000).Select(number => string.Create(CultureInfo.InvariantCulture, $"r{number}")));
    }

    [Fact]
    public async Task Two_rows_change_their_values_and_a_new_row_takes_one_that_is_given_up()
    {
        ResourceRow[] rows = [Row("a"), Row("b"), Row("c")];
        await WriteAsync(rows.Select(row => new RowWrite(row, IsNew: true, 0)));
        var added = Row("c");

        await WriteAsync([new(added, IsNew: true, 0), Moved(rows[0], "b"), Moved(rows[1], "a"), Moved(rows[2], null)]);

        (await RefsAsync([.. rows, added])).ShouldBe(["b", "a", null, "c"]);
    }

    [Fact]
    public async Task A_value_that_a_row_keeps_is_not_taken_from_it()
    {
        ResourceRow[] rows = [Row("a"), Row("b")];
        await WriteAsync(rows.Select(row => new RowWrite(row, IsNew: true, 0)));

        (await Should.ThrowAsync<PostgresException>(WriteAsync([Moved(rows[0], "b"), Moved(rows[1], "b")]))).SqlState.ShouldBe("23505");
        (await Should.ThrowAsync<PostgresException>(WriteAsync([Moved(rows[0], "b")]))).SqlState.ShouldBe("23505");
        (await RefsAsync(rows)).ShouldBe(["a", "b"]);
    }

    [Fact]
    public async Task Rows_that_differ_are_told_also_where_their_value_moved_on()
    {
        ResourceRow[] rows = [Row("a"), Row("b"), Row("c"), Row("d")];
        await WriteAsync(rows.Select(row => new RowWrite(row, IsNew: true, 0)));
        HashSet<Guid> updated = [];

        await InTransactionAsync(async transaction => updated = await transaction.UpdateDifferingAsync(
            Notes, _company, [Moved(rows[0], "b"), Moved(rows[1], null), Moved(rows[2], "c"), Moved(rows[3], "a")], Token));

        updated.ShouldBe([rows[0].Id, rows[1].Id, rows[3].Id], ignoreOrder: true);
        (await RefsAsync(rows)).ShouldBe(["b", null, "c", "a"]);
        var times = await Task.WhenAll(rows.Select(row => Store.Rows.FindRowAsync(Notes, _company, row.Id, Token)));
        times.Select(row => row!.UpdatedAt > _now).ShouldBe([true, true, false, true]);
    }

    private ResourceRow Row(string reference) => new(Guid.CreateVersion7(), [reference, null, null, null, null, null], _now, _now);

    private RowWrite Moved(ResourceRow row, string? reference) =>
        new(row with { Values = [reference, null, null, null, null, null], UpdatedAt = _now.AddSeconds(1) }, IsNew: false, Ref);

    private Task WriteAsync(IEnumerable<RowWrite> writes) =>
        InTransactionAsync(transaction => transaction.WriteRowsAsync(Notes, _company, [.. writes], Token));

    private async Task InTransactionAsync(Func<ApiJobs.Storage.IChunkTransaction, Task> work)
    {
        var job = await SealAsync(_company);
        var lease = (await Store.ClaimLaneAsync(TimeSpan.Zero, Token)).ShouldNotBeNull();
        var chunks = await Store.ReadAheadAsync(lease, null, 1, Token);
        await Store.ApplyAsync(
            lease, chunks,
            async (transaction, _) =>
            {
                await work(transaction);
                return await AllUpdated(chunks);
            },
            Token);
        job.CompanyId.ShouldBe(_company);
    }

    private async Task<IEnumerable<string?>> RefsAsync(IEnumerable<ResourceRow> rows)
    {
        var all = await Store.Rows.ListRowsAsync(Notes, _company, new() { Limit = 10_000 }, Token);
        var byId = all.ToDictionary(row => row.Id, row => row.Values[0]);
        return rows.Select(row => byId[row.Id]);
    }
}
