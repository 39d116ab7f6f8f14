using System.Text;
using ApiJobs.Jobs;
using ApiJobs.Storage;

namespace ApiJobs.Stores.Tests.Conformance;

/// <summary>What a job says about its records while it runs and when it has ended.</summary>
public abstract class OutcomeTests(StoreFixture stores) : StoreTests(stores)
{
    [Fact]
    public async Task Counts_add_up_over_chunks()
    {
        var job = await AcceptAsync(Company, 5, 3, 1);
        var lease = await ClaimAsync();
        var chunks = await ReadAheadAsync(lease);

        await ApplyAsync(lease, [chunks[0]], Outcome([1, 2, 2, 3, 4]));
        (await FindAsync(job)).Counts.ShouldBe(new OutcomeCounts(1, 2, 1, 1));

        await ApplyAsync(lease, [chunks[1], chunks[2]], Outcome([4, 4, 1]), Outcome([2]));
        (await FindAsync(job)).Counts.ShouldBe(new OutcomeCounts(2, 3, 1, 3));
    }

    [Fact]
    public async Task Message_entries_add_up_in_order()
    {
        var job = await AcceptAsync(Company, 1, 1, 2, 1);
        var lease = await ClaimAsync();
        var chunks = await ReadAheadAsync(lease);

        await ApplyAsync(lease, [chunks[0]], Outcome([4], "first\n", 1));
        await ApplyAsync(lease, [chunks[1], chunks[2]], Outcome([1]), Outcome([4, 3], "second\nthird \U0001F600\r\n", 2));
        await ExpectMessageAsync(job, "first\nsecond\nthird \U0001F600\r\n", 3);

        await ApplyAsync(lease, [chunks[3]], Outcome([4], "fourth\n", 1));
        await ExpectMessageAsync(job, "first\nsecond\nthird \U0001F600\r\nfourth\n", 4);
    }

    [Fact]
    public async Task Each_job_of_one_transaction_gets_its_own_results()
    {
        var first = await AcceptAsync(Company, 1, 1);
        var second = await AcceptAsync(Company, 1);
        var lease = await ClaimAsync();

        await ApplyAsync(lease, await ReadAheadAsync(lease), Outcome([1]), Outcome([4], "of the first", 1), Outcome([3], "of the second", 1));

        var (one, two) = (await FindAsync(first), await FindAsync(second));
        one.Counts.ShouldBe(new OutcomeCounts(1, 0, 0, 1));
        await ExpectMessageAsync(one, "of the first", 1);
        two.Counts.ShouldBe(new OutcomeCounts(0, 0, 1, 0));
        await ExpectMessageAsync(two, "of the second", 1);
        (await ResultsAsync(first)).Select(result => result.Outcomes.Span[0]).ShouldBe(new byte[] { 1, 4 });
        (await ResultsAsync(second)).Select(result => result.Outcomes.Span[0]).ShouldBe(new byte[] { 3 });
    }

    [Fact]
    public async Task A_message_is_read_as_it_was_at_the_moment_of_its_job()
    {
        var job = await AcceptAsync(Company, 1, 1, 1);
        var lease = await ClaimAsync();
        var chunks = await ReadAheadAsync(lease);
        await ApplyAsync(lease, [chunks[0]], Outcome([4], "first", 1));
        var then = await FindAsync(job);

        await ApplyAsync(lease, [chunks[1], chunks[2]], Outcome([1]), Outcome([4], "third", 1));

        (await MessageAsync(then)).ShouldBe("first");
        (await MessageAsync(await FindAsync(job))).ShouldBe("firstthird");
        (await MessageAsync(job)).ShouldBe("");
        (await Store.ReadMessageAsync(OtherCompany, job.Id, 3, Cancel)).ShouldBe("");
        (await Store.ReadMessageAsync(Company, Guid.CreateVersion7(), 3, Cancel)).ShouldBe("");
    }

    [Fact]
    public async Task A_message_may_be_long()
    {
        var job = await AcceptAsync(Company, 1, 1);
        var lease = await ClaimAsync();
        var chunks = await ReadAheadAsync(lease);
        var text = string.Concat(Enumerable.Repeat("Case does not exist or record already updated. \U0001F4DC\n", 1200));
        Encoding.UTF8.GetByteCount(text).ShouldBeGreaterThan(60_000);

        await ApplyAsync(lease, [chunks[0]], Outcome([4], text, 1200));
        await ApplyAsync(lease, [chunks[1]], Outcome([1]));

        await ExpectMessageAsync(job, text, 1200);
    }

    [Fact]
    public async Task A_job_is_pending_then_processing_then_completed()
    {
        var job = await AcceptAsync(Company, 1, 1, 1);
        var lease = await ClaimAsync();
        var chunks = await ReadAheadAsync(lease);
        (await FindAsync(job)).Status.ShouldBe(ApiJobStatus.Pending);

        await ApplyAsync(lease, [chunks[0]], Outcome([1]));
        var processing = await FindAsync(job);
        processing.Status.ShouldBe(ApiJobStatus.Processing);
        var startedAt = processing.StartTime.ShouldNotBeNull();
        startedAt.ShouldBeGreaterThanOrEqualTo(job.CreatedAt);
        processing.EndTime.ShouldBeNull();

        Database.Clock.Advance(TimeSpan.FromSeconds(4));
        await ApplyAsync(lease, [chunks[1]], Outcome([2]));
        (await FindAsync(job)).StartTime.ShouldBe(startedAt);

        Database.Clock.Advance(TimeSpan.FromSeconds(4));
        await ApplyAsync(lease, [chunks[2]], Outcome([3]));
        var ended = await FindAsync(job);
        ended.Status.ShouldBe(ApiJobStatus.Completed);
        ended.Failure.ShouldBeNull();
        ended.StartTime.ShouldBe(startedAt);
        ended.EndTime.ShouldNotBeNull().ShouldBeGreaterThan(startedAt);
        ended.UpdatedAt.ShouldBeGreaterThanOrEqualTo(ended.EndTime.Value);
        ended.NextChunk.ShouldBe(ended.ChunkCount);
        ended.Unprocessed.ShouldBe(0);
        ended.UpdatedAt.ShouldBeGreaterThan(job.UpdatedAt);
    }

    [Fact]
    public async Task A_job_whose_records_all_failed_is_completed()
    {
        var job = await AcceptAsync(Company, 2);
        var lease = await ClaimAsync();

        await ApplyAsync(lease, await ReadAheadAsync(lease), Outcome([4, 4], "all", 2));

        (await FindAsync(job)).Status.ShouldBe(ApiJobStatus.Completed);
    }

    [Fact]
    public async Task The_last_chunk_gives_the_lane_to_the_next_job()
    {
        await AcceptAsync(Company, 1, 1);
        var next = await AcceptAsync(Company, 1);
        var lease = await ClaimAsync();
        await ApplyAsync(lease, (await ReadAheadAsync(lease)).Take(2).ToList());

        (await ReadAheadAsync(lease)).ShouldHaveSingleItem().Job.Id.ShouldBe(next.Id);
        await Store.ReleaseLaneAsync(lease, fault: null, Cancel);
        await DrainAsync(Store);
        (await FindAsync(next)).HasEnded.ShouldBeTrue();
    }

    [Fact]
    public async Task Other_jobs_do_not_change()
    {
        await AcceptAsync(Company, 1);
        var waiting = await AcceptAsync(Company, 1);
        var elsewhere = await AcceptAsync(OtherCompany, 1);
        var lease = await ClaimAsync();
        while (lease.CompanyId != Company)
            lease = await ClaimAsync();

        await ApplyAsync(lease, (await ReadAheadAsync(lease))[0]);

        (await FindAsync(waiting)).ShouldBe(waiting);
        (await FindAsync(elsewhere)).ShouldBe(elsewhere);
    }

    private async Task ExpectMessageAsync(ApiJob job, string entries, long entryCount)
    {
        var found = await FindAsync(job);
        (found.MessageEntryCount, found.MessageBytes).ShouldBe((entryCount, Encoding.UTF8.GetByteCount(entries)));
        (await MessageAsync(found)).ShouldBe(entries);
    }

    private static ChunkOutcome Outcome(byte[] outcomes, string text = "", int entries = 0) => new(outcomes, default, text, entries);
}
