using ApiJobs.Jobs;
using ApiJobs.Processing;
using ApiJobs.Storage;
using ApiJobs.Stores.Tests.Broken;
using ApiJobs.Stores.Tests.Conformance;

namespace ApiJobs.Stores.Tests.Engine;

/// <summary>Every state of a job × what may happen to it, as its log tells it.</summary>
public abstract class JobLogTests(StoreFixture stores) : EngineTests(stores)
{
    private const string Secret = "hunter2";

    [Fact]
    public async Task A_pending_job_was_accepted_and_nothing_else()
    {
        var job = await SendAsync("customer_case_bulk_create", """{"title":"t"}""", """{"title":"u"}""");

        (await LogAsync(job)).ShouldHaveSingleItem().ShouldBe(new(job.CreatedAt, "accepted", "2 records accepted."));
    }

    [Fact]
    public async Task A_job_that_is_being_processed_was_accepted_and_begun()
    {
        var job = await SendAsync("customer_case_bulk_create", [.. Enumerable.Repeat("""{"title":"t"}""", 15)]);
        var lease = (await Store.ClaimLaneAsync("node", WorkerOptions.Lease, Cancel)).ShouldNotBeNull();
        var chunks = await Store.ReadAheadAsync(lease, null, 10, Cancel);
        await Store.ApplyAsync(
            lease, chunks, (_, _) => Task.FromResult<IReadOnlyList<ChunkOutcome>>([new(Enumerable.Repeat((byte)2, 10).ToArray(), default, "", 0)]), Cancel);

        (await EventsAsync(job)).ShouldBe("accepted begun");
    }

    [Fact]
    public async Task An_ordinary_job_tells_how_it_ended_and_has_no_row_for_it()
    {
        var job = await RunAsync("customer_case_bulk_create", """{"title":"t"}""", "{}");

        var log = await LogAsync(job);
        log.Select(line => (line.Time, line.Event)).ShouldBe([(job.CreatedAt, "accepted"), (job.StartTime!.Value, "begun"), (job.EndTime!.Value, "ended")]);
        log[^1].Detail.ShouldBe("completed: 1 of 2 records effected.");
        (await Database.CountRowsAsync())["job_log"].ShouldBe(0);
    }

    [Theory]
    [InlineData(false, "accepted ended")]
    [InlineData(true, "accepted begun ended")]
    public async Task A_job_that_was_ended_says_why(bool hasBegun, string events)
    {
        var job = await SendAsync("customer_case_bulk_create", [.. Enumerable.Repeat("""{"title":"t"}""", 15)]);
        if (hasBegun)
        {
            var lease = (await Store.ClaimLaneAsync("node", WorkerOptions.Lease, Cancel)).ShouldNotBeNull();
            var chunks = await Store.ReadAheadAsync(lease, null, 10, Cancel);
            await Store.ApplyAsync(
                lease, chunks, (_, _) => Task.FromResult<IReadOnlyList<ChunkOutcome>>([new(Enumerable.Repeat((byte)2, 10).ToArray(), default, "", 0)]), Cancel);
        }

        await Store.EndJobAsync(Company, job.Id, new("cancelled", "Cancelled by client 'importer'."), Cancel);

        (await EventsAsync(job)).ShouldBe(events);
        (await LogAsync(job))[^1].Detail.ShouldBe("failed: cancelled. Cancelled by client 'importer'.");
    }

    [Theory]
    [InlineData("key", "accepted begun record_given_up ended")]
    [InlineData("check", "accepted begun record_given_up ended")]
    [InlineData("apply", "accepted begun group_isolated record_given_up ended")]
    public async Task A_record_that_is_given_up_is_told_with_its_index(string part, string events)
    {
        Offer(new FaultyOperation());

        var job = await RunAsync("faulty_bulk_create", """{"id":"a"}""", $$"""{"id":"b","in":"{{part}}"}""", """{"id":"c"}""");

        (await EventsAsync(job)).ShouldBe(events);
        (await LogAsync(job)).Single(line => line.Event == "record_given_up").Detail.ShouldContain("Record 1 ");
    }

    [Fact]
    public async Task A_group_that_breaks_a_rule_is_told_once_and_not_what_the_database_said()
    {
        Offer(new FaultyOperation((records, _, _) => records.Any(record => record.Content.Id == "b") ? throw new FaultException() : Task.CompletedTask));
        var job = await SendAsync("faulty_bulk_create", """{"id":"a"}""", """{"id":"b"}""", """{"id":"c"}""");

        await RunToEndAsync(Node(new Classifying(Store, StoreFault.Constraint)), job);

        (await OutcomesAsync(await FindAsync(job))).ShouldBe("created failed:constraint_violation created");
        (await EventsAsync(job)).ShouldBe("accepted begun group_isolated ended");
        (await LogAsync(job))[2].Detail.ShouldBe(
            "A group of 3 records from index 0 on was rolled back, because a rule of the database was broken; its records were tried apart.");
    }

    [Fact]
    public async Task An_ill_lane_is_told_the_1st_2nd_and_4th_time_and_not_with_what_the_exception_says()
    {
        var faults = 0;
        Offer(new FaultyOperation((_, _, _) => ++faults <= 5 ? throw new FaultException() : Task.CompletedTask));
        var job = await SendAsync("faulty_bulk_create", "{}");

        await RunToEndAsync(Node(new Classifying(Store, StoreFault.Deployment)), job);

        (await EventsAsync(job)).ShouldStartWith("accepted lane_ill lane_ill");
        var ill = (await LogAsync(job)).Where(line => line.Event == "lane_ill").Select(line => line.Detail).ToArray();
        ill.Length.ShouldBeLessThan(faults);
        ill[0].ShouldBe("The job's lane could not go on, because the database lacks something that the server expects. It is left alone for 1 s.");
        ill[1].ShouldContain("2 times in a row");
        ill.ShouldAllBe(detail => !detail.Contains(Secret));
    }

    [Fact]
    public async Task An_operation_that_is_gone_is_told()
    {
        var gone = new FaultyOperation();
        Offer(gone);
        var job = await SendAsync("faulty_bulk_create", "{}");
        Withdraw(gone);
        var other = await SendAsync(OtherCompany, "customer_case_bulk_create", JobOptions.None, ["""{"title":"t"}"""]);
        await Store.ReleaseLaneAsync(await ClaimOfAsync(other), fault: null, Cancel);

        await RunToEndAsync(Store, other);
        await UntilToldAsync(job, "lane_ill");

        (await LogAsync(job))[^1].Detail.ShouldContain("does not know the job's operation");
    }

    [Fact]
    public async Task A_lane_that_was_taken_over_is_told_with_the_first_chunk_since()
    {
        var first = await SendAsync("customer_case_bulk_create", [.. Enumerable.Repeat("""{"title":"t"}""", 25)]);
        var second = await SendAsync("customer_case_bulk_create", """{"title":"t"}""");
        (await Store.ClaimLaneAsync("the node that dies", WorkerOptions.Lease, Cancel)).ShouldNotBeNull();
        await Database.PassTimeAsync(2 * WorkerOptions.Lease);

        await RunToEndAsync(Store, first, second);

        (await EventsAsync(first)).ShouldBe("accepted begun taken_over ended");
        (await EventsAsync(second)).ShouldBe("accepted begun ended");
        Log.Of(304).ShouldHaveSingleItem().Text.ShouldContain("the node that dies");
        (await LogAsync(first)).ShouldAllBe(line => !line.Detail.Contains("the node that dies"));
    }

    [Fact]
    public async Task No_log_shows_more_than_its_bound_however_many_records_crash()
    {
        Offer(new FaultyOperation());

        var job = await RunAsync("faulty_bulk_create", [.. Enumerable.Repeat("""{"in":"check"}""", 250)]);

        var log = await LogAsync(job);
        log.Count.ShouldBeLessThanOrEqualTo(JobLogEntry.MaxShown);
        log.Count(line => line.Event == "record_given_up").ShouldBe(JobLogEntry.MaxStored - 1);
        (log[^2].Event, log[^1].Event).ShouldBe(("more", "ended"));
    }

    private async Task<IReadOnlyList<JobLogLine>> LogAsync(ApiJob job) => await Engine().ReadLogAsync(await FindAsync(job), Cancel);

    private async Task<string> EventsAsync(ApiJob job) => string.Join(' ', (await LogAsync(job)).Select(line => line.Event));

    private async Task<LaneLease> ClaimOfAsync(ApiJob job)
    {
        while (true)
        {
            var lease = (await Store.ClaimLaneAsync("node", WorkerOptions.Lease, Cancel)).ShouldNotBeNull();
            if (lease.CompanyId == job.CompanyId)
                return lease;
            await Store.ReleaseLaneAsync(lease, fault: null, Cancel);
        }
    }

    // Whoever serves the lane gives it back after the fault; that is soon.
    private async Task UntilToldAsync(ApiJob job, string name)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        stop.CancelAfter(TimeSpan.FromSeconds(60));
        var running = Task.Run(() => new Worker(Node()).RunAsync(stop.Token), Cancel);
        while (!(await EventsAsync(job)).Contains(name, StringComparison.Ordinal))
        {
            Database.Clock.Advance(TimeSpan.FromMilliseconds(5));
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, stop.Token);
        }

        await stop.CancelAsync();
        await running;
    }

    private sealed class FaultException() : Exception(Secret);

    /// <summary>A database that means something by the fault.</summary>
    private sealed class Classifying(IWholeStore sound, StoreFault fault) : StoreDecorator(sound)
    {
        public override StoreFault Classify(Exception exception) => exception is FaultException ? fault : base.Classify(exception);
    }
}
