using ApiJobs.Jobs;
using ApiJobs.Storage;

namespace ApiJobs.Stores.Tests.Conformance;

/// <summary>Each state of a job with each event: what it comes to, and that an end is an end.</summary>
public abstract class EndingTests(StoreFixture stores) : StoreTests(stores)
{
    private static readonly JobFailure Cancelled = new("cancelled", "Cancelled by the test.");

    public static TheoryData<ApiJobStatus> States { get; } = [.. Enum.GetValues<ApiJobStatus>()];

    [Theory]
    [InlineData(ApiJobStatus.Pending, EndResult.Ended, ApiJobStatus.Failed)]
    [InlineData(ApiJobStatus.Processing, EndResult.Ended, ApiJobStatus.Failed)]
    [InlineData(ApiJobStatus.Completed, EndResult.HadEnded, ApiJobStatus.Completed)]
    [InlineData(ApiJobStatus.Failed, EndResult.HadEnded, ApiJobStatus.Failed)]
    public async Task Ending_ends_a_job_that_has_not_ended(ApiJobStatus state, EndResult expected, ApiJobStatus after)
    {
        var (job, _) = await JobInAsync(state);

        (await Store.EndJobAsync(Company, job.Id, new("other", "For another reason."), Cancel)).ShouldBe(expected);

        var ended = await FindAsync(job);
        ended.Status.ShouldBe(after);
        if (expected == EndResult.HadEnded)
            ended.ShouldBe(job);
        else
            ended.Failure.ShouldBe(new JobFailure("other", "For another reason."));
    }

    [Theory]
    [InlineData(ApiJobStatus.Pending, 0)]
    [InlineData(ApiJobStatus.Processing, 2)]
    public async Task The_records_of_a_job_that_failed_stay_as_they_are_and_its_counts_add_up(ApiJobStatus state, int processed)
    {
        var (job, _) = await JobInAsync(state);

        await Store.EndJobAsync(Company, job.Id, Cancelled, Cancel);

        var ended = await FindAsync(job);
        (ended.Counts, ended.NextChunk, ended.TotalRecords).ShouldBe((job.Counts, job.NextChunk, job.TotalRecords));
        (ended.Counts.Processed, ended.Unprocessed).ShouldBe((processed, ended.TotalRecords - processed));
        ended.EndTime.ShouldNotBeNull().ShouldBeGreaterThanOrEqualTo(ended.StartTime ?? ended.CreatedAt);
        ended.UpdatedAt.ShouldBeGreaterThanOrEqualTo(job.UpdatedAt);
        ended.StartTime.ShouldBe(job.StartTime);
        (await ResultsAsync(ended)).Select(result => result.Outcomes.Length).ShouldBe(state == ApiJobStatus.Pending ? [0, 0, 0] : [2, 0, 0]);
        (await AppliedAsync(Company)).Count.ShouldBe(processed);
    }

    [Theory]
    [InlineData(ApiJobStatus.Pending)]
    [InlineData(ApiJobStatus.Processing)]
    public async Task A_job_that_failed_gives_the_lane_to_the_next(ApiJobStatus state)
    {
        var (job, lease) = await JobInAsync(state);
        var next = await AcceptAsync(Company, 2, 1);

        await Store.EndJobAsync(Company, job.Id, Cancelled, Cancel);

        (await ReadAheadAsync(lease)).Select(pending => pending.Job.Id).Distinct().ShouldBe([next.Id]);
        await Store.ReleaseLaneAsync(lease, fault: null, Cancel);
        await DrainAsync(Store);
        (await FindAsync(next)).Status.ShouldBe(ApiJobStatus.Completed);
        (await Store.IsLaneWaitingAsync(Cancel)).ShouldBeFalse();
    }

    [Fact]
    public async Task Jobs_in_the_middle_of_a_lane_may_end_before_those_in_front_of_them()
    {
        var jobs = new List<ApiJob>();
        for (var job = 0; job < 5; job++)
            jobs.Add(await AcceptAsync(Company, 1, 1));
        foreach (var middle in new[] { 3, 1, 2 })
            (await Store.EndJobAsync(Company, jobs[middle].Id, Cancelled, Cancel)).ShouldBe(EndResult.Ended);

        var lease = await ClaimAsync();
        (await ReadAheadAsync(lease)).Select(pending => pending.Job.Id).Distinct().ShouldBe([jobs[0].Id, jobs[4].Id]);
        (await ApplyAsync(lease, await ReadAheadAsync(lease))).ShouldBeTrue();

        (await ReadAheadAsync(lease)).ShouldBeEmpty();
        (await AppliedAsync(Company)).ShouldBe(RecordsOf(jobs[0], jobs[4]));
        (await Task.WhenAll(jobs.Select(FindAsync))).Select(job => job.Status).ShouldBe(
            [ApiJobStatus.Completed, ApiJobStatus.Failed, ApiJobStatus.Failed, ApiJobStatus.Failed, ApiJobStatus.Completed]);
    }

    [Fact]
    public async Task A_lane_whose_only_job_was_ended_has_no_work_and_goes_on_with_the_next()
    {
        var job = await AcceptAsync(Company, 1);
        await Store.EndJobAsync(Company, job.Id, Cancelled, Cancel);
        await DrainAsync(Store);
        (await Store.ClaimLaneAsync(NodeName, LeaseTime, Cancel)).ShouldBeNull();

        var next = await AcceptAsync(Company, 1);

        next.Position.ShouldBe(2);
        await DrainAsync(Store);
        (await FindAsync(next)).Status.ShouldBe(ApiJobStatus.Completed);
    }

    [Theory]
    [MemberData(nameof(States))]
    public async Task A_chunk_is_applied_while_its_job_has_not_ended(ApiJobStatus state)
    {
        var (job, lease) = await JobInAsync(state);
        var stale = _chunks!.Skip(job.NextChunk).DefaultIfEmpty(_chunks![^1]).First();

        var applied = await ApplyAsync(lease, stale);

        applied.ShouldBe(state is ApiJobStatus.Pending or ApiJobStatus.Processing);
        if (!applied)
            (await FindAsync(job)).ShouldBe(job);
    }

    [Theory]
    [MemberData(nameof(States))]
    public async Task Sealing_again_gives_the_job_as_it_is_and_changes_nothing(ApiJobStatus state)
    {
        var (job, _) = await JobInAsync(state);

        (await Store.SealJobAsync(_request!, _sent![^1], Cancel)).ShouldBe(new SealResult.Sealed(job));

        (await FindAsync(job)).ShouldBe(job);
    }

    [Theory]
    [MemberData(nameof(States))]
    public async Task Nothing_can_be_appended_to_a_sealed_job(ApiJobStatus state)
    {
        var (job, _) = await JobInAsync(state);
        var more = new Chunk(3, job.TotalRecords, 1, ChunksOf(1)[0].Payload);

        // Whether as a fault of the caller or as an upload that is gone: it is refused.
        var exception = await Record.ExceptionAsync(async () => (await Store.AppendChunkAsync(Company, job.Id, more, Cancel)).ShouldBeFalse());

        (exception is null or InvalidOperationException).ShouldBeTrue($"{exception}");
        (await FindAsync(job)).ShouldBe(job);
        (await ResultsAsync(job)).Count.ShouldBe(3);
    }

    [Theory]
    [MemberData(nameof(States))]
    public async Task Retention_removes_what_has_ended_and_nothing_else(ApiJobStatus state)
    {
        var (job, lease) = await JobInAsync(state);
        await Store.ReleaseLaneAsync(lease, fault: null, Cancel);
        await Database.PassTimeAsync(TimeSpan.FromDays(2));

        while (await Store.RemoveEndedAsync(Company, TimeSpan.FromDays(1), EndedPart.Jobs, Cancel)) { }

        (await Store.FindJobAsync(Company, job.Id, Cancel) is null).ShouldBe(state is ApiJobStatus.Completed or ApiJobStatus.Failed);
        (await ResultsAsync(job)).Count.ShouldBe(state is ApiJobStatus.Completed or ApiJobStatus.Failed ? 0 : 3);
    }

    [Fact]
    public async Task A_job_that_is_not_there_is_not_ended()
    {
        var (job, _) = await JobInAsync(ApiJobStatus.Pending);
        var upload = ChunksOf(1, 1);
        var unsealed = NewJob(Company, upload);
        await Store.AppendChunkAsync(Company, unsealed.Id, upload[0], Cancel);
        var before = await Database.CountRowsAsync();

        (await Store.EndJobAsync(Company, Guid.CreateVersion7(), Cancelled, Cancel)).ShouldBe(EndResult.Unknown);
        (await Store.EndJobAsync(OtherCompany, job.Id, Cancelled, Cancel)).ShouldBe(EndResult.Unknown);
        (await Store.EndJobAsync(Company, unsealed.Id, Cancelled, Cancel)).ShouldBe(EndResult.Unknown);

        (await FindAsync(job)).ShouldBe(job);
        (await Database.CountRowsAsync()).ShouldBe(before, ignoreOrder: true);
        (await Store.SealJobAsync(unsealed, upload[1], Cancel)).ShouldBeSealed();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_end_is_never_lost(bool crash)
    {
        var (job, _) = await JobInAsync(ApiJobStatus.Processing);
        await Store.EndJobAsync(Company, job.Id, Cancelled, Cancel);
        var ended = await FindAsync(job);

        await (crash ? CrashAndRestartAsync() : RestartAsync());

        (await FindAsync(job)).ShouldBe(ended);
    }

    [Fact]
    public async Task A_chunk_that_races_with_the_end_is_applied_before_it_or_rolled_back()
    {
        for (var round = 0; round < 20; round++)
        {
            var job = await AcceptAsync(Company, 2, 1);
            var lease = await ClaimAsync();
            var chunks = await ReadAheadAsync(lease);
            var before = (await AppliedAsync(Company)).Count;

            var applying = Task.Run(() => ApplyAsync(lease, chunks[0]), Cancel);
            var ending = Task.Run(() => Store.EndJobAsync(Company, job.Id, Cancelled, Cancel), Cancel);

            (await ending).ShouldBe(EndResult.Ended);
            var wasApplied = await applying;
            var ended = await FindAsync(job);
            ended.Status.ShouldBe(ApiJobStatus.Failed);
            (ended.NextChunk, ended.Counts.Created).ShouldBe(wasApplied ? (1, 2) : (0, 0));
            ((await AppliedAsync(Company)).Count - before).ShouldBe(wasApplied ? 2 : 0);
            await Store.ReleaseLaneAsync(lease, fault: null, Cancel);
        }
    }

    [Fact]
    public async Task The_end_waits_for_a_chunk_that_is_being_applied()
    {
        var job = await AcceptAsync(Company, 2, 1);
        var lease = await ClaimAsync();
        var chunks = await ReadAheadAsync(lease);
        var (inside, goOn) = (new TaskCompletionSource(), new TaskCompletionSource());
        var applying = Store.ApplyAsync(lease, chunks.Take(1).ToList(), async (transaction, cancellationToken) =>
        {
            inside.SetResult();
            await goOn.Task;
            return await Effects(chunks.Take(1).ToList())(transaction, cancellationToken);
        }, Cancel);
        await inside.Task.WaitAsync(Patience, Cancel);

        var ending = Store.EndJobAsync(Company, job.Id, Cancelled, Cancel);
        goOn.SetResult();

        (await applying).ShouldHaveSingleItem().HasEnded.ShouldBeFalse();
        (await ending).ShouldBe(EndResult.Ended);
        (await FindAsync(job)).Counts.Created.ShouldBe(2);
    }

    private NewJob? _request;
    private IReadOnlyList<Chunk>? _sent;
    private IReadOnlyList<PendingChunk>? _chunks;

    /// <summary>A job of three chunks in a state, in a lane that the test holds.</summary>
    private async Task<(ApiJob Job, LaneLease Lease)> JobInAsync(ApiJobStatus state)
    {
        _sent = ChunksOf(2, 1, 3);
        _request = NewJob(Company, _sent) with { Id = Guid.CreateVersion7(Now) };
        var job = await UploadAsync(Store, _request, _sent);
        var lease = await ClaimAsync();
        _chunks = await ReadAheadAsync(lease);
        if (state is ApiJobStatus.Processing)
            await ApplyAsync(lease, _chunks[0]);
        else if (state is ApiJobStatus.Completed)
            await ApplyAsync(lease, _chunks);
        else if (state is ApiJobStatus.Failed)
            await Store.EndJobAsync(Company, job.Id, Cancelled, Cancel);
        var now = await FindAsync(job);
        now.Status.ShouldBe(state);
        return (now, lease);
    }
}
