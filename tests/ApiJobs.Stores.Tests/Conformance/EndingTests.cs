using ApiJobs.Jobs;
using ApiJobs.Storage;

namespace ApiJobs.Stores.Tests.Conformance;

/// <summary>A job may be ended before its last chunk: what was done stays, what was not never will be, and its lane goes on.</summary>
public abstract class EndingTests(StoreFixture stores) : StoreTests(stores)
{
    [Fact]
    public async Task A_pending_job_that_is_ended_has_failed_and_none_of_its_records_is_processed()
    {
        var job = await AcceptAsync(Company, 2, 1);

        (await EndAsync(job)).ShouldBe(EndResult.Ended);

        var ended = await FindAsync(job);
        ended.Status.ShouldBe(ApiJobStatus.Failed);
        ended.Failure.ShouldBe(Cancelled);
        ended.StartTime.ShouldBeNull();
        ended.EndTime.ShouldNotBeNull().ShouldBeGreaterThanOrEqualTo(job.CreatedAt);
        ended.UpdatedAt.ShouldBeGreaterThanOrEqualTo(job.UpdatedAt);
        ended.ShouldBe(job with { Failure = Cancelled, EndTime = ended.EndTime, UpdatedAt = ended.UpdatedAt });
    }

    [Fact]
    public async Task A_processing_job_that_is_ended_keeps_what_was_done()
    {
        var job = await AcceptAsync(Company, 3, 2);
        var lease = await ClaimAsync();
        var chunks = await ReadAheadAsync(lease);
        await ApplyAsync(lease, [chunks[0]], new ChunkOutcome(new byte[] { 1, 4, 3 }, default, "an entry", 2));
        var processing = await FindAsync(job);

        (await EndAsync(job)).ShouldBe(EndResult.Ended);

        var ended = await FindAsync(job);
        ended.ShouldBe(processing with { Failure = Cancelled, EndTime = ended.EndTime, UpdatedAt = ended.UpdatedAt });
        ended.EndTime.ShouldNotBeNull().ShouldBeGreaterThanOrEqualTo(processing.StartTime.ShouldNotBeNull());
        (ended.Counts, ended.Unprocessed).ShouldBe((new OutcomeCounts(1, 0, 1, 1), 2));
        await ExpectMessageAsync(job, "an entry", 2);
        (await ResultsAsync(job)).Select(result => result.Outcomes.Length).ShouldBe([3, 0]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_job_that_has_ended_is_not_ended_again(bool completed)
    {
        var job = await AcceptAsync(Company, 1);
        if (completed)
            await DrainAsync(Store);
        else
            await EndAsync(job);
        var ended = await FindAsync(job);

        (await Store.EndJobAsync(Company, job.Id, new("other", "Another reason."), Cancel)).ShouldBe(EndResult.HadEnded);

        (await FindAsync(job)).ShouldBe(ended);
    }

    [Fact]
    public async Task Another_companys_job_and_one_that_does_not_exist_cannot_be_ended()
    {
        var job = await AcceptAsync(Company, 1);
        var chunks = ChunksOf(1, 1);
        var upload = NewJob(Company, chunks);
        await Store.AppendChunkAsync(Company, upload.Id, chunks[0], Cancel);

        (await Store.EndJobAsync(OtherCompany, job.Id, Cancelled, Cancel)).ShouldBe(EndResult.Unknown);
        (await Store.EndJobAsync(Company, Guid.CreateVersion7(), Cancelled, Cancel)).ShouldBe(EndResult.Unknown);
        (await Store.EndJobAsync(Company, upload.Id, Cancelled, Cancel)).ShouldBe(EndResult.Unknown);

        (await FindAsync(job)).ShouldBe(job);
        (await Store.SealJobAsync(upload, chunks[1], Cancel)).ShouldBeSealed();
    }

    [Fact]
    public async Task Nothing_is_applied_to_a_job_that_was_ended()
    {
        var job = await AcceptAsync(Company, 1, 1);
        var lease = await ClaimAsync();
        var chunks = await ReadAheadAsync(lease);
        (await ApplyAsync(lease, chunks[0])).ShouldBeTrue();
        await EndAsync(job);
        var ended = await FindAsync(job);

        (await Store.ApplyAsync(lease, [chunks[1]], (_, _) => throw new InvalidOperationException("Not to be called."), Cancel)).ShouldBeEmpty();

        (await FindAsync(job)).ShouldBe(ended);
        (await AppliedAsync(Company)).ShouldBe(RecordsOf(job).Take(1));
    }

    [Fact]
    public async Task An_ended_job_in_the_middle_of_a_group_refuses_the_group()
    {
        var first = await AcceptAsync(Company, 1);
        var second = await AcceptAsync(Company, 1);
        var third = await AcceptAsync(Company, 1);
        var lease = await ClaimAsync();
        var chunks = await ReadAheadAsync(lease);
        await EndAsync(second);

        (await ApplyAsync(lease, chunks)).ShouldBeFalse();

        (await ApplyAsync(lease, await ReadAheadAsync(lease))).ShouldBeTrue();
        (await AppliedAsync(Company)).ShouldBe(RecordsOf(first, third));
    }

    [Fact]
    public async Task Sealing_an_ended_job_again_gives_it_as_it_is_and_nothing_is_appended_to_it()
    {
        var chunks = ChunksOf(1, 1);
        var request = NewJob(Company, chunks);
        var job = await UploadAsync(Store, request, chunks);
        await EndAsync(job);
        var ended = await FindAsync(job);

        (await Store.SealJobAsync(request, chunks[1], Cancel)).ShouldBeSealed().ShouldBe(ended);
        await Record.ExceptionAsync(() => Store.AppendChunkAsync(Company, job.Id, new(2, 2, 1, chunks[0].Payload), Cancel));

        (await ResultsAsync(job)).Count.ShouldBe(2);
        (await FindAsync(job)).ShouldBe(ended);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_lane_goes_on_without_the_job_that_was_ended(int which)
    {
        var jobs = new[] { await AcceptAsync(Company, 1, 1), await AcceptAsync(Company, 1, 1), await AcceptAsync(Company, 1, 1) };
        await EndAsync(jobs[which]);

        await DrainAsync(Store);

        (await AppliedAsync(Company)).ShouldBe(RecordsOf(jobs.Where(job => job != jobs[which])));
        foreach (var job in jobs)
            (await FindAsync(job)).HasEnded.ShouldBeTrue();
        (await Store.IsLaneWaitingAsync(Cancel)).ShouldBeFalse();
        (await AcceptAsync(Company, 1)).Position.ShouldBe(4);
        await DrainAsync(Store);
        (await AppliedAsync(Company)).Count.ShouldBe(5);
    }

    // A store may learn that a lane is empty only when it is given back. Then it is claimed once for nothing.
    [Fact]
    public async Task A_lane_whose_only_job_was_ended_is_claimed_once_at_most()
    {
        await EndAsync(await AcceptAsync(Company, 1));

        if (await Store.ClaimLaneAsync(NodeName, LeaseTime, Cancel) is { } lease)
        {
            (await ReadAheadAsync(lease)).ShouldBeEmpty();
            await Store.ReleaseLaneAsync(lease, fault: null, Cancel);
        }

        (await Store.ClaimLaneAsync(NodeName, LeaseTime, Cancel)).ShouldBeNull();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_end_is_never_lost(bool crash)
    {
        var job = await AcceptAsync(Company, 1, 1);
        var next = await AcceptAsync(Company, 1);
        await EndAsync(job);
        var ended = await FindAsync(job);

        await (crash ? CrashAndRestartAsync() : RestartAsync());

        (await FindAsync(job)).ShouldBe(ended);
        (await ReadAheadAsync(await ClaimAsync())).ShouldHaveSingleItem().Job.Id.ShouldBe(next.Id);
    }

    [Fact]
    public async Task Ended_while_its_last_chunk_is_applied_a_job_has_one_of_both_ends_and_its_counts_add_up()
    {
        for (var round = 0; round < 20; round++)
        {
            var job = await AcceptAsync(Store, Company, $"round {round}", 2);
            var lease = await ClaimAsync();
            var chunks = await ReadAheadAsync(lease);

            var applying = Task.Run(() => ApplyAsync(lease, chunks), Cancel);
            var ending = Task.Run(() => EndAsync(job), Cancel);
            var (applied, end) = (await applying, await ending);

            end.ShouldBe(applied ? EndResult.HadEnded : EndResult.Ended);
            var found = await FindAsync(job);
            found.Status.ShouldBe(applied ? ApiJobStatus.Completed : ApiJobStatus.Failed);
            found.Counts.Processed.ShouldBe(applied ? 2 : 0);
            await Store.ReleaseLaneAsync(lease, fault: null, Cancel);
        }
    }
}
