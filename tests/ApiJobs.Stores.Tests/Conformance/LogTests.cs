using System.Globalization;
using ApiJobs.Jobs;
using ApiJobs.Storage;

namespace ApiJobs.Stores.Tests.Conformance;

/// <summary>What is stored of a job because it is out of the ordinary.</summary>
public abstract class LogTests(StoreFixture stores) : StoreTests(stores)
{
    private static readonly TimeSpan Moment = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task Entries_are_stored_with_the_chunk_that_tells_them()
    {
        var job = await AcceptAsync(Company, 1, 1);
        var other = await AcceptAsync(Company, 1);
        var lease = await ClaimAsync();
        var chunks = await ReadAheadAsync(lease);

        await ApplyAsync(lease, chunks, Telling(chunks[0], "a", "b"), Telling(chunks[1], "c"), Telling(chunks[2], "d"));

        (await LogAsync(job)).Select(line => line.Event).ShouldBe(["a", "b", "c"]);
        (await LogAsync(other)).ShouldHaveSingleItem().Detail.ShouldBe("It is d.");
        var ended = await FindAsync(job);
        (await LogAsync(job)).ShouldAllBe(line => line.Time >= ended.StartTime && line.Time <= ended.EndTime);
        (await Store.ReadLogAsync(OtherCompany, job.Id, Cancel)).ShouldBeEmpty();
    }

    [Fact]
    public async Task What_is_rolled_back_is_not_told()
    {
        var job = await AcceptAsync(Company, 1);
        var lease = await ClaimAsync();
        var chunks = await ReadAheadAsync(lease);

        await Should.ThrowAsync<InvalidOperationException>(ApplyAsync(lease, chunks, Telling(chunks[0], "a"), Telling(chunks[0], "b")));
        await ApplyAsync(lease, chunks, Telling(chunks[0], "c"));
        (await ApplyAsync(lease, chunks, Telling(chunks[0], "d"))).ShouldBeFalse();

        (await LogAsync(job)).Select(line => line.Event).ShouldBe(["c"]);
    }

    [Fact]
    public async Task A_full_log_says_so_and_keeps_what_happens_once()
    {
        var job = await AcceptAsync(Company, 1, 1, 1, 1);
        var lease = await ClaimAsync();
        var chunks = await ReadAheadAsync(lease);
        string[] many = [.. Enumerable.Range(0, JobLogEntry.MaxStored - 5).Select(number => number.ToString(CultureInfo.InvariantCulture))];

        await ApplyAsync(lease, [chunks[0]], Telling(chunks[0], many));
        await ApplyAsync(lease, [chunks[1]], Telling(chunks[1], many));
        await ApplyAsync(lease, [chunks[2]], Telling(chunks[2], many));
        await ApplyAsync(lease, [chunks[3]], AllCreated(chunks[3]) with { Log = [new("once", "It is once.") { IsOnce = true }, new("again", "")] });

        var log = await LogAsync(job);
        log.Count.ShouldBe(JobLogEntry.MaxStored + 1);
        log.Select(line => line.Event).ShouldBe([.. many, .. many.Take(4), JobLogEvents.More, "once"]);
    }

    [Fact]
    public async Task A_lane_that_is_ill_tells_its_first_unfinished_job()
    {
        var ended = await AcceptAsync(Company, 1);
        var first = await AcceptAsync(Company, 1);
        var second = await AcceptAsync(Company, 1);
        var lease = await ClaimAsync();
        await ApplyAsync(lease, (await ReadAheadAsync(lease))[0]);

        await Store.ReleaseLaneAsync(lease, new("Secret.", Moment) { Log = new(JobLogEvents.LaneIll, "The lane rests.") }, Cancel);

        (await LogAsync(first)).ShouldHaveSingleItem().ShouldSatisfyAllConditions(
            line => line.Event.ShouldBe("lane_ill"), line => line.Detail.ShouldBe("The lane rests."),
            line => line.Time.ShouldBeGreaterThanOrEqualTo(first.CreatedAt));
        (await LogAsync(ended)).ShouldBeEmpty();
        (await LogAsync(second)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_fault_without_a_word_for_the_log_and_a_lane_without_jobs_store_nothing()
    {
        var job = await AcceptAsync(Company, 1);
        await Store.ReleaseLaneAsync(await ClaimAsync(), new("Secret.", Moment), Cancel);
        (await LogAsync(job)).ShouldBeEmpty();

        await Database.PassTimeAsync(2 * Moment);
        var lease = await ClaimAsync();
        await ApplyAsync(lease, await ReadAheadAsync(lease));
        await Store.ReleaseLaneAsync(lease, new("Secret.", Moment) { Log = new(JobLogEvents.LaneIll, "") }, Cancel);
        (await Database.CountRowsAsync())["job_log"].ShouldBe(0);
    }

    [Fact]
    public async Task Whoever_lost_the_lease_tells_nothing()
    {
        var job = await AcceptAsync(Company, 1);
        var lost = await ClaimAsync();
        await Database.PassTimeAsync(LeaseTime + Moment);
        await ClaimAsync();

        await Store.ReleaseLaneAsync(lost, new("Secret.", Moment) { Log = new(JobLogEvents.LaneIll, "") }, Cancel);

        (await LogAsync(job)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_claim_says_whose_lease_had_run_out()
    {
        await AcceptAsync(Company, 1);
        (await ClaimAsync()).TakenFrom.ShouldBeNull();

        await Database.PassTimeAsync(LeaseTime + Moment);
        var lease = await ClaimAsync();
        lease.TakenFrom.ShouldBe(NodeName);

        await Store.ReleaseLaneAsync(lease, fault: null, Cancel);
        (await ClaimAsync()).TakenFrom.ShouldBeNull();
    }

    private Task<IReadOnlyList<JobLogLine>> LogAsync(ApiJob job) => Store.ReadLogAsync(job.CompanyId, job.Id, Cancel);

    private static ChunkOutcome Telling(PendingChunk chunk, params string[] events) =>
        AllCreated(chunk) with { Log = [.. events.Select(name => new JobLogEntry(name, $"It is {name}."))] };
}
