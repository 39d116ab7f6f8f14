using ApiJobs.Intake;
using ApiJobs.Jobs;
using ApiJobs.Processing;
using ApiJobs.Storage;
using ApiJobs.Stores.Tests.Broken;
using ApiJobs.Stores.Tests.Conformance;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace ApiJobs.Stores.Tests.Engine;

/// <summary>What a node does besides applying records: keeps its leases, says what happened, and notices when a part of it ends.</summary>
public abstract class NodeTests(StoreFixture stores) : EngineTests(stores)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_lease_that_cannot_be_renewed_is_lost_and_its_holder_is_told()
    {
        await SendAsync("customer_case_bulk_create", """{"title":"t"}""");
        var time = new FakeTimeProvider();
        var node = Node(time: time);
        var lease = (await Store.ClaimLaneAsync("first", WorkerOptions.Lease, Cancel)).ShouldNotBeNull();
        await using var keeper = new LeaseKeeper(lease, node);
        await Database.PassTimeAsync(2 * WorkerOptions.Lease);
        (await Store.ClaimLaneAsync("second", WorkerOptions.Lease, Cancel)).ShouldNotBeNull();

        var lost = new TaskCompletionSource();
        await using var told = keeper.Lost.Register(lost.SetResult);
        time.Advance(WorkerOptions.Lease / 3);

        await lost.Task.WaitAsync(Patience, Cancel);
    }

    [Fact]
    public async Task A_job_has_two_lines_in_the_log_with_who_and_how_many()
    {
        var accepted = await SendAsync("customer_case_bulk_create", [.. Enumerable.Repeat("""{"title":"t"}""", 25), "{}"]);

        await RunToEndAsync(Store, accepted);

        Log.Of(100).ShouldHaveSingleItem().Text.ShouldSatisfyAllConditions(
            text => text.ShouldContain($"{accepted.Id}"), text => text.ShouldContain($"{Company}"), text => text.ShouldContain("26 records"));
        Log.Of(101).ShouldHaveSingleItem().Text.ShouldSatisfyAllConditions(
            text => text.ShouldContain($"{accepted.Id}"), text => text.ShouldContain("25 created"), text => text.ShouldContain("1 failed"), text => text.ShouldContain("Completed"));
    }

    [Fact]
    public async Task Ending_a_job_is_logged_once_and_its_caller_sees_the_end_the_store_gave()
    {
        var job = await SendAsync("customer_case_bulk_create", """{"title":"t"}""");
        using var engine = Engine();

        (await engine.EndJobAsync(Company, job.Id, new("cancelled", "Cancelled."), Cancel)).ShouldBe(EndResult.Ended);
        (await engine.EndJobAsync(Company, job.Id, new("other", "Other."), Cancel)).ShouldBe(EndResult.HadEnded);
        (await engine.EndJobAsync(OtherCompany, job.Id, new("other", "Other."), Cancel)).ShouldBe(EndResult.Unknown);

        Log.Of(101).ShouldHaveSingleItem().Text.ShouldContain("1 unprocessed");
        (await engine.FindJobAsync(Company, job.Id, Cancel)).ShouldBe(await FindAsync(job));
    }

    [Fact]
    public async Task A_store_that_is_away_is_told_of_once_by_all_and_once_when_it_is_back()
    {
        var store = new Away(Store);
        var node = Node(store);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        Task[] slots = [.. Enumerable.Range(0, 4).Select(_ => Task.Run(() => new Worker(node).RunAsync(stop.Token), Cancel))];
        await store.Refused.WaitAsync(Patience, Cancel);

        store.IsAway = false;
        await RunToEndAsync(Store, await SendAsync("customer_case_bulk_create", """{"title":"t"}"""));
        while (!Log.Of(401).Any())
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, Cancel);
        await stop.CancelAsync();
        await Task.WhenAll(slots);

        Log.Of(400).ShouldHaveSingleItem();
        Log.Of(401).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_loop_that_ends_by_a_fault_is_logged_and_ends_the_service_and_its_other_loops()
    {
        var log = new ServiceLog();
        var service = new WorkerService(
            new Away(Store) { IsAway = true }, Store, new([]), Options.Create(WorkerOptions), Options.Create(new IntakeOptions()),
            Options.Create(new RetentionOptions()), new WorkPace(), Watch, new BrokenClock(), log);

        await service.StartAsync(Cancel);

        (await Should.ThrowAsync<InvalidOperationException>(service.ExecuteTask!.WaitAsync(Patience, Cancel)))
            .InnerException.ShouldBeOfType<InvalidTimeZoneException>();
        log.Lines.ShouldContain(line => line.EventId == 403 && line.Level == LogLevel.Critical);
    }

    [Fact]
    public async Task A_coded_operation_gets_small_chunks_and_a_declared_one_what_is_configured()
    {
        Offer(new FaultyOperation());
        Intake.ChunkRecords = 100;

        (await SendAsync("faulty_bulk_create", [.. Enumerable.Repeat("{}", 35)])).ChunkCount.ShouldBe(4);
        (await SendAsync("customer_case_bulk_create", [.. Enumerable.Repeat("""{"title":"t"}""", 35)])).ChunkCount.ShouldBe(1);
    }

    // What differs from request to request must never be an option, or small jobs would each need a transaction.
    [Fact]
    public async Task Small_jobs_of_different_origins_share_a_call()
    {
        var calls = new List<int>();
        Offer(new FaultyOperation((records, _, _) =>
        {
            calls.Add(records.Count);
            return Task.CompletedTask;
        }));
        var jobs = new List<ApiJob>();
        for (var sender = 0; sender < 5; sender++)
        {
            var origin = new JobOrigin { ClientId = $"client {sender}", IdempotencyKey = $"key {sender}", TraceParent = $"trace {sender}", ParentId = Guid.CreateVersion7() };
            jobs.Add(await SendAsync("faulty_bulk_create", origin, "{}"));
        }

        await RunToEndAsync(Store, jobs);

        calls.ShouldBe([5]);
    }

    [Fact]
    public async Task A_slow_operation_is_never_given_the_groups_that_a_quick_one_has_earned()
    {
        var calls = new List<int>();
        var time = new FakeTimeProvider();
        Offer(new FaultyOperation((records, _, _) =>
        {
            calls.Add(records.Count);
            time.Advance(records.Count * TimeSpan.FromSeconds(1));
            return Task.CompletedTask;
        })
        { ChunkRecords = 2 });
        var node = Node(time: time);
        await RunToEndAsync(node, await SendAsync("customer_case_bulk_create", [.. Enumerable.Range(0, 2_000).Select(i => $$"""{"title":"{{i}}"}""")]));

        await RunToEndAsync(node, await SendAsync("faulty_bulk_create", [.. Enumerable.Repeat("{}", 10)]));

        calls.ShouldBe([2, 2, 2, 2, 2]);
    }

    /// <summary>A store that cannot be asked for a lane.</summary>
    private sealed class Away(IWholeStore sound) : StoreDecorator(sound)
    {
        private readonly TaskCompletionSource _refused = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _refusals;

        public volatile bool IsAway = true;

        /// <summary>Completes when it was asked often enough for every slot to have been among those who asked.</summary>
        public Task Refused => _refused.Task;

        public override Task<LaneLease?> ClaimLaneAsync(string node, TimeSpan leaseFor, CancellationToken cancellationToken)
        {
            if (!IsAway)
                return base.ClaimLaneAsync(node, leaseFor, cancellationToken);
            if (Interlocked.Increment(ref _refusals) == 12)
                _refused.SetResult();
            throw new StoreUnavailableException("The test took the store away.");
        }
    }

    /// <summary>A clock on which nothing can wait: a bug in the loop itself.</summary>
    private sealed class BrokenClock : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            period == Timeout.InfiniteTimeSpan ? throw new InvalidTimeZoneException("The clock is broken.") : base.CreateTimer(callback, state, dueTime, period);
    }

    private sealed class ServiceLog : ILogger<WorkerService>
    {
        private readonly TestLog _log = new();

        public IReadOnlyCollection<TestLogLine> Lines => _log.Lines;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            _log.Log(logLevel, eventId, state, exception, formatter);
    }
}
