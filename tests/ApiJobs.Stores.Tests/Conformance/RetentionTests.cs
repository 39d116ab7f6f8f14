using System.ComponentModel.DataAnnotations;
using System.Globalization;
using ApiJobs.Intake;
using ApiJobs.Jobs;
using ApiJobs.Processing;
using ApiJobs.Records;
using ApiJobs.Storage;
using ApiJobs.Stores.Tests.Broken;
using Microsoft.Extensions.Logging.Abstractions;

namespace ApiJobs.Stores.Tests.Conformance;

/// <summary>What is removed of jobs that ended long ago, and what never is.</summary>
public abstract class RetentionTests(StoreFixture stores) : StoreTests(stores)
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    [Fact]
    public async Task The_records_of_jobs_that_ended_before_a_time_go_and_the_jobs_stay()
    {
        var old = await AcceptNowAsync(Company, "", 2, 1);
        var others = await AcceptNowAsync(OtherCompany, "", 2);
        await DrainAsync(Store);
        await Database.PassTimeAsync(Day);
        var ended = await FindAsync(old);
        var fresh = await AcceptNowAsync(Company, "", 2);
        await DrainAsync(Store);

        (await RemoveAsync(Company, Day / 2, EndedPart.Records)).ShouldBeGreaterThan(0);

        (await FindAsync(old)).ShouldBe(ended);
        (await ResultsAsync(old)).ShouldBeEmpty();
        (await ResultsAsync(fresh)).Count.ShouldBe(1);
        (await ResultsAsync(others)).Count.ShouldBe(1);
        (await RemoveAsync(Company, Day / 2, EndedPart.Records)).ShouldBe(0);
    }

    [Fact]
    public async Task A_job_that_ended_before_a_time_goes_without_a_trace()
    {
        await AcceptNowAsync(Company, "", 1);
        await DrainAsync(Store);
        await Database.PassTimeAsync(Day);
        var before = await Database.CountRowsAsync();
        var old = await AcceptNowAsync(Company, "", 2, 1);
        var lease = await ClaimAsync();
        var chunks = await ReadAheadAsync(lease);
        byte[][] outcomes = [[(byte)RecordOutcome.Failed, (byte)RecordOutcome.Unchanged], [(byte)RecordOutcome.Unchanged]];
        var errors = ChunkErrors.Write([new(0, "k", [new("not_found", "No.", "/id")])]);
        await ApplyAsync(lease, chunks, new ChunkOutcome(outcomes[0], errors, "an entry", 1) { ErrorGroups = [new("not_found", "/id", 1, 0, "No.")] }, new ChunkOutcome(outcomes[1], default, "", 0));
        await Store.ReleaseLaneAsync(lease, fault: null, Cancel);
        await Database.PassTimeAsync(Day);

        // The one before is a day older, and goes with it.
        await RemoveAsync(Company, Day / 2, EndedPart.Jobs);

        (await Store.FindJobAsync(Company, old.Id, Cancel)).ShouldBeNull();
        (await ResultsAsync(old)).ShouldBeEmpty();
        var after = await Database.CountRowsAsync();
        foreach (var (table, rows) in before)
            after[table].ShouldBe(table switch { "jobs" or "chunks" or "chunk_results" => rows - 1, "job_marks" => 0, _ => rows }, table);
    }

    [Fact]
    public async Task What_has_not_ended_is_kept_however_old_it_is()
    {
        var pending = await AcceptNowAsync(Company, "a", 1, 1);
        var begun = await AcceptNowAsync(Company, "b", 1, 1);
        var ended = await AcceptNowAsync(Company, "c", 1);
        for (var lane = 0; lane < 3; lane++)
        {
            var lease = await ClaimAsync();
            if (lease.Lane != "a")
                (await ApplyAsync(lease, await ReadAheadAsync(lease, maxRecords: 1))).ShouldBeTrue();
            await Store.ReleaseLaneAsync(lease, fault: null, Cancel);
        }

        await Database.PassTimeAsync(Day);

        await RemoveAsync(Company, Day / 2, EndedPart.Jobs);

        (await Store.FindJobAsync(Company, ended.Id, Cancel)).ShouldBeNull();
        (await ResultsAsync(pending)).Count.ShouldBe(2);
        (await ResultsAsync(begun)).Count.ShouldBe(2);
        await DrainAsync(Store);
        (await FindAsync(pending)).Status.ShouldBe(ApiJobStatus.Completed);
        (await FindAsync(begun)).Status.ShouldBe(ApiJobStatus.Completed);
    }

    [Fact]
    public async Task A_large_job_goes_in_steps_its_first_chunks_first_and_nothing_is_left_when_they_are_broken_off()
    {
        var before = await Database.CountRowsAsync();
        var large = await AcceptNowAsync(Company, "", [.. Enumerable.Repeat(1, 250)]);
        await DrainAsync(Store);
        await Database.PassTimeAsync(Day);

        (await Store.RemoveEndedAsync(Company, Day / 2, EndedPart.Jobs, Cancel)).ShouldBeTrue();
        var left = await ResultsAsync(large);
        left.Count.ShouldBeInRange(100, 249);
        left.Select(result => result.Chunk.Index).ShouldBe(Enumerable.Range(250 - left.Count, left.Count));
        (await Store.FindJobAsync(Company, large.Id, Cancel)).ShouldNotBeNull();

        await RestartAsync();
        (await RemoveAsync(Company, Day / 2, EndedPart.Jobs)).ShouldBeGreaterThan(1);
        var after = await Database.CountRowsAsync();
        foreach (var (table, rows) in before.Where(table => table.Key.Contains("job", StringComparison.Ordinal) || table.Key.Contains("chunk", StringComparison.Ordinal)))
            after[table].ShouldBe(rows, table);
    }

    [Fact]
    public async Task A_lane_whose_jobs_are_gone_goes_on_where_it_was()
    {
        await AcceptNowAsync(Company, "", 1);
        var last = await AcceptNowAsync(Company, "", 1);
        await DrainAsync(Store);
        await Database.PassTimeAsync(Day);
        await RemoveAsync(Company, Day / 2, EndedPart.Jobs);
        await RestartAsync();

        var next = await AcceptNowAsync(Company, "", 1);
        next.Position.ShouldBe(last.Position + 1);
        await DrainAsync(Store);
        (await FindAsync(next)).Status.ShouldBe(ApiJobStatus.Completed);
    }

    [Fact]
    public async Task Companies_are_read_each_once_in_the_order_of_their_ids()
    {
        (await Store.ReadCompaniesAsync(null, 10, Cancel)).ShouldBeEmpty();
        Guid[] companies = [.. Enumerable.Range(1, 5).Select(number => new Guid(number, 0, 0, new byte[8]))];
        foreach (var company in companies.Reverse())
        {
            await AcceptNowAsync(company, "", 1);
            await AcceptNowAsync(company, "another", 1);
        }

        var first = await Store.ReadCompaniesAsync(null, 3, Cancel);
        first.ShouldBe(companies[..3]);
        (await Store.ReadCompaniesAsync(first[^1], 3, Cancel)).ShouldBe(companies[3..]);
        (await Store.ReadCompaniesAsync(companies[^1], 3, Cancel)).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(1, 3, 0, 1)]
    [InlineData(1, null, 0, 2)]
    [InlineData(null, 3, 1, 1)]
    [InlineData(null, 1, 0, 0)]
    [InlineData(null, null, 2, 2)]
    public async Task Housekeeping_removes_what_was_kept_for_as_long_as_configured(int? recordDays, int? jobDays, int withRecords, int jobs)
    {
        var old = await AcceptNowAsync(Company, "", 1);
        await DrainAsync(Store);
        await Database.PassTimeAsync(2 * Day);
        var younger = await AcceptNowAsync(OtherCompany, "", 1);
        await DrainAsync(Store);
        await Database.PassTimeAsync(2 * Day);
        var options = new RetentionOptions { Records = recordDays * Day, Jobs = jobDays * Day };

        // It rests by the clock, which therefore has to move.
        var housekeeping = new Housekeeper(Store, new IntakeOptions(), options, new(Database.Clock, NullLogger.Instance), Database.Clock, NullLogger.Instance).RemoveEndedAsync(Cancel);
        while (!housekeeping.IsCompleted)
        {
            Database.Clock.Advance(TimeSpan.FromMilliseconds(1));
            await Task.Yield();
        }

        await housekeeping;
        (await ResultsAsync(old)).Concat(await ResultsAsync(younger)).Count().ShouldBe(withRecords);
        new[] { await Store.FindJobAsync(Company, old.Id, Cancel), await Store.FindJobAsync(OtherCompany, younger.Id, Cancel) }
            .Count(job => job is not null).ShouldBe(jobs);
    }

    [Fact]
    public async Task Housekeeping_goes_on_after_a_fault_that_it_does_not_know()
    {
        var store = new OnceFailing(Store);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var options = new RetentionOptions { Jobs = Day };
        var running = new Housekeeper(store, new IntakeOptions(), options, new(Database.Clock, NullLogger.Instance), Database.Clock, NullLogger.Instance).RunAsync(stop.Token);
        await store.Failed.Task.WaitAsync(Patience, Cancel);

        while (!store.WentOn.Task.IsCompleted)
        {
            Database.Clock.Advance(options.Interval);
            await Task.Yield();
        }

        await stop.CancelAsync();
        await running;
    }

    [Theory]
    [InlineData("00:00:00", "00:00:00", "00:00:01", true)]
    [InlineData(null, null, "30.00:00:00", true)]
    [InlineData("-00:00:01", null, "01:00:00", false)]
    [InlineData(null, "40000.00:00:00", "01:00:00", false)]
    [InlineData("2.00:00:00", "1.00:00:00", "01:00:00", false)]
    [InlineData(null, null, "00:00:00", false)]
    [InlineData(null, null, "50.00:00:00", false)]
    public void Times_that_make_no_sense_are_refused(string? records, string? jobs, string interval, bool isGood)
    {
        var options = new RetentionOptions { Records = Time(records), Jobs = Time(jobs), Interval = Time(interval)!.Value };
        Validator.TryValidateObject(options, new(options), null, validateAllProperties: true).ShouldBe(isGood);

        static TimeSpan? Time(string? text) => text is null ? null : TimeSpan.Parse(text, CultureInfo.InvariantCulture);
    }

    /// <summary>Fails the first time it is asked for companies, with what no housekeeping expects.</summary>
    private sealed class OnceFailing(IWholeStore sound) : Broken.StoreDecorator(sound)
    {
        public TaskCompletionSource Failed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource WentOn { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override Task<IReadOnlyList<Guid>> ReadCompaniesAsync(Guid? after, int max, CancellationToken cancellationToken)
        {
            if (Failed.TrySetResult())
                throw new InvalidOperationException("Unexpected.");
            WentOn.TrySetResult();
            return base.ReadCompaniesAsync(after, max, cancellationToken);
        }
    }

    /// <summary>Accepts a job whose id is of the test's time.</summary>
    private async Task<ApiJob> AcceptNowAsync(Guid company, string lane, params int[] recordCounts)
    {
        var chunks = ChunksOf(recordCounts);
        var job = NewJob(company, chunks, lane) with { Id = Guid.CreateVersion7(Now) };
        var made = await UploadAsync(Store, job, chunks);
        Database.Clock.Advance(TimeSpan.FromMilliseconds(1));
        return made;
    }

    /// <returns>How many steps it took.</returns>
    private async Task<int> RemoveAsync(Guid company, TimeSpan keptFor, EndedPart part)
    {
        var steps = 0;
        while (await Store.RemoveEndedAsync(company, keptFor, part, Cancel))
            steps++;
        return steps;
    }
}
