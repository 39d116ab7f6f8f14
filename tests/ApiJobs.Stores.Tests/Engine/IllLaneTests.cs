using ApiJobs.Jobs;
using ApiJobs.Processing;
using ApiJobs.Storage;
using ApiJobs.Stores.Tests.Broken;
using ApiJobs.Stores.Tests.Conformance;
using Microsoft.Extensions.Time.Testing;

namespace ApiJobs.Stores.Tests.Engine;

/// <summary>A fault that comes up in a lane is the lane's: it is left alone for a while, and no worker waits because of it.</summary>
public abstract class IllLaneTests(StoreFixture stores) : EngineTests(stores)
{
    [Fact]
    public async Task Fifty_ill_lanes_make_no_worker_wait()
    {
        Offer(new FaultyOperation((_, _, _) => throw new LackingException()));
        var ill = new List<ApiJob>();
        for (var lane = 0; lane < 50; lane++)
            ill.Add(await SendAsync(Guid.CreateVersion7(), "faulty_bulk_create", JobOptions.None, ["{}"]));
        var good = await SendAsync("customer_case_bulk_create", """{"title":"t"}""");

        // The worker's own time stands still: if it waited once, it would wait for ever.
        await RunToEndAsync(Node(new Lacking(Store), new FakeTimeProvider()), good);

        foreach (var job in ill)
            (await FindAsync(job)).HasEnded.ShouldBeFalse();
        Log.Of(402).ShouldBeEmpty();
    }

    [Fact]
    public async Task Nothing_fails_because_the_database_lacks_a_table_of_the_declaration()
    {
        Offer(new FaultyOperation());
        var before = await SendAsync("faulty_bulk_create", """{"id":"a"}""");
        var waiting = await SendAsync("customer_case_bulk_create", """{"title":"t"}""", """{"title":"u"}""");
        await Database.RunBesideAsync("ALTER TABLE customer_case RENAME TO mislaid");
        var node = Node();

        await RunToEndAsync(node, before);
        await UntilAsync(node, () => Log.Of(300).Any());

        (await FindAsync(waiting)).Counts.ShouldBe(default);
        await Database.RunBesideAsync("ALTER TABLE mislaid RENAME TO customer_case");
        (await RunToEndAsync(node, waiting))[0].Counts.ShouldBe(new OutcomeCounts(2, 0, 0, 0));
    }

    [Fact]
    public async Task Nothing_fails_because_the_database_lacks_a_column_that_only_some_records_touch()
    {
        const string A = "00000000-0000-7000-8000-00000000000a";
        await RunAsync("customer_case_bulk_create", $$"""{"id":"{{A}}","title":"t"}""");
        var waiting = await SendAsync("customer_case_bulk_update", $$"""{"id":"{{A}}","title":"u"}""", $$"""{"id":"{{A}}","notes":"n"}""");
        await Database.RunBesideAsync("ALTER TABLE customer_case RENAME COLUMN notes TO mislaid");
        var node = Node();

        await UntilAsync(node, () => Log.Of(300).Any());

        (await FindAsync(waiting)).Counts.ShouldBe(default);
        await Database.RunBesideAsync("ALTER TABLE customer_case RENAME COLUMN mislaid TO notes");
        (await RunToEndAsync(node, waiting))[0].Counts.Failed.ShouldBe(0);
    }

    [Fact]
    public async Task What_some_records_of_a_coded_operation_ask_for_in_vain_is_their_own_fault()
    {
        Offer(new FaultyOperation(async (records, context, cancellationToken) =>
        {
            foreach (var (_, content) in records.Where(record => record.Content.In == "sql"))
            {
                await using var command = context.CreateCommand("SELECT no_such_column FROM no_such_table");
                await command.ExecuteNonQueryAsync(cancellationToken);
            }
        }));

        var job = await RunAsync("faulty_bulk_create", """{"id":"a"}""", """{"id":"b","in":"sql"}""", """{"id":"c"}""");

        (await OutcomesAsync(job)).ShouldBe("created failed:internal_error created");
    }

    [Fact]
    public async Task An_ill_lane_is_told_of_ever_more_seldom_and_once_when_it_is_well()
    {
        var isLacking = true;
        Offer(new FaultyOperation((_, _, _) => isLacking ? throw new LackingException() : Task.CompletedTask));
        var job = await SendAsync("faulty_bulk_create", "{}");
        var node = Node(new Lacking(Store));

        await UntilAsync(node, () => Log.Of(300).Count() >= 3);
        isLacking = false;
        await RunToEndAsync(node, job);

        Log.Of(300).Select(line => line.Text).Take(3).ShouldAllBe(text =>
            text.Contains("the 1. time", StringComparison.Ordinal) || text.Contains("the 2. time", StringComparison.Ordinal) || text.Contains("the 4. time", StringComparison.Ordinal));
        Log.Of(301).ShouldHaveSingleItem();
    }

    private async Task UntilAsync(WorkerNode node, Func<bool> isSo)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        stop.CancelAfter(TimeSpan.FromSeconds(60));
        var running = Task.Run(() => new Worker(node).RunAsync(stop.Token), Cancel);
        while (!isSo())
        {
            Database.Clock.Advance(TimeSpan.FromMilliseconds(5));
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, stop.Token);
        }

        await stop.CancelAsync();
        await running;
    }

    private sealed class LackingException : Exception;

    /// <summary>A database that lacks what an operation asks for.</summary>
    private sealed class Lacking(IWholeStore sound) : StoreDecorator(sound)
    {
        public override StoreFault Classify(Exception exception) =>
            exception is LackingException ? StoreFault.Deployment : base.Classify(exception);
    }
}
