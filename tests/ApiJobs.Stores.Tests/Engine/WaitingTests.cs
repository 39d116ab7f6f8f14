using ApiJobs.Admission;
using ApiJobs.Jobs;
using ApiJobs.Processing;
using ApiJobs.Storage;
using ApiJobs.Stores.Tests.Broken;
using ApiJobs.Stores.Tests.Conformance;
using ApiJobs.Waiting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace ApiJobs.Stores.Tests.Engine;

/// <summary>Who waits for a job learns of everything that happens to it, and costs the store nothing.</summary>
public abstract class WaitingTests(StoreFixture stores) : EngineTests(stores)
{
    private const string Type = "customer_case_bulk_create";
    private const string Record = """{"title":"t"}""";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    // A look at the store would hide what was not told.
    private static readonly TimeSpan Never = TimeSpan.FromHours(10);

    // Waiting begins at every moment of a job's short life: before it is claimed, while it is applied, after it has ended.
    [Fact]
    public async Task However_waiting_and_ending_cross_the_end_is_told()
    {
        var store = new CountingStore(Store);
        using var watch = NewWatch(store, Never);
        using var engine = Engine(store, watch);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var working = Task.Run(() => new Worker(Node(store, watch: watch)).RunAsync(stop.Token), Cancel);
        var (told, read) = (0, 0);
        for (var i = 0; i < 300; i++)
        {
            var job = await SendAsync(Type, Record);
            Thread.SpinWait(i * 2_000);
            using var waiter = engine.Watch(job.CompanyId, job.Id).ShouldNotBeNull();
            var first = (await waiter.ReadAsync(Cancel)).ShouldNotBeNull();
            _ = first.Job.HasEnded ? read++ : told++;

            var end = await waiter.WaitForEndAsync(Patience, Cancel);

            end.ShouldNotBeNull().Job.ShouldBe(await FindAsync(job), $"round {i}");
            end.Job.HasEnded.ShouldBeTrue($"round {i}");
        }

        await stop.CancelAsync();
        await working;
        TestContext.Current.SendDiagnosticMessage("Of 300 ends, {0} were read at first and {1} told.", read, told);
        store.Looks.ShouldBe(0);
    }

    // The two moments that the loop above can hardly meet, held still.
    [Fact]
    public async Task An_end_that_comes_while_the_job_is_being_read_is_told()
    {
        var store = new CountingStore(Store);
        using var watch = NewWatch(store, Never);
        using var engine = Engine(store, watch);
        var job = await SendAsync(Type, Record);
        // The reading has seen the job as it was, and answers only after the end.
        store.WhenRead = () => engine.EndJobAsync(job.CompanyId, job.Id, new("cancelled", "Cancelled by the test."), Cancel);
        using var waiter = engine.Watch(job.CompanyId, job.Id).ShouldNotBeNull();

        var news = await waiter.WaitForEndAsync(Patience, Cancel);

        news.ShouldNotBeNull().Job.HasEnded.ShouldBeTrue();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_was_told_between_looking_and_falling_asleep_keeps_awake(bool untilEnd)
    {
        using var watch = NewWatch(Store, Never);
        using var engine = Engine(Store, watch);
        var job = await SendAsync(Type, Record);
        using var waiter = engine.Watch(job.CompanyId, job.Id).ShouldNotBeNull();
        var seen = (await waiter.ReadAsync(Cancel)).ShouldNotBeNull();
        await RunToEndAsync(Node(Store, watch: watch), job);

        waiter.SleepAsync(seen, untilEnd, TimeSpan.FromHours(1), Cancel).IsCompletedSuccessfully.ShouldBeTrue();
    }

    [Fact]
    public async Task Who_waits_for_the_end_sleeps_through_progress()
    {
        using var watch = NewWatch(Store, Never);
        using var engine = Engine(Store, watch);
        var job = await SendAsync(Type, [.. Enumerable.Repeat(Record, 25)]);
        using var patient = engine.Watch(job.CompanyId, job.Id).ShouldNotBeNull();
        using var curious = engine.Watch(job.CompanyId, job.Id).ShouldNotBeNull();
        var seen = (await patient.ReadAsync(Cancel)).ShouldNotBeNull();
        var (asleep, awake) = (patient.SleepAsync(seen, untilEnd: true, Patience, Cancel), curious.SleepAsync(seen, untilEnd: false, Patience, Cancel));

        watch.Tell(job with { NextChunk = 1 });
        await awake;
        asleep.IsCompleted.ShouldBeFalse();

        watch.Tell(job with { NextChunk = 1, EndTime = job.CreatedAt, Failure = new("cancelled", "Cancelled.") });
        await asleep;
    }

    [Fact]
    public async Task All_who_wait_for_a_job_share_one_reading_of_it_and_of_its_message()
    {
        var store = new CountingStore(Store);
        using var watch = NewWatch(store, Never);
        using var engine = Engine(store, watch);
        var job = await SendAsync(Type, Record, """{"title":5}""");
        var waiters = Enumerable.Range(0, 200).Select(_ => engine.Watch(job.CompanyId, job.Id).ShouldNotBeNull()).ToList();
        var waiting = waiters.ConvertAll(waiter => waiter.WaitForEndAsync(Patience, Cancel));
        foreach (var waiter in waiters)
            (await waiter.ReadAsync(Cancel)).ShouldNotBeNull().Job.Status.ShouldBe(ApiJobStatus.Pending);
        store.Finds.ShouldBe(1);

        await RunToEndAsync(Node(Store, watch: watch), job);

        var ends = await Task.WhenAll(waiting);
        ends.ShouldAllBe(end => end!.Job.Status == ApiJobStatus.Completed);
        (await Task.WhenAll(ends.Select(end => end!.ReadMessageAsync(engine, Cancel)))).ShouldAllBe(message => message.Contains("title"));
        (store.Finds, store.Messages).ShouldBe((1, 1));
        waiters.ForEach(waiter => waiter.Dispose());
        watch.WaiterCount.ShouldBe(0);
    }

    [Fact]
    public async Task What_a_worker_did_is_told_also_if_the_stores_answer_was_lost()
    {
        using var watch = NewWatch(Store, TimeSpan.FromMilliseconds(50));
        using var engine = Engine(Store, watch);
        var job = await SendAsync(Type, Record);
        using var waiter = engine.Watch(job.CompanyId, job.Id).ShouldNotBeNull();
        var waiting = waiter.WaitForEndAsync(Patience, Cancel);
        (await waiter.ReadAsync(Cancel)).ShouldNotBeNull().Job.HasEnded.ShouldBeFalse();

        var (answers, faulting) = (0, new LosingStore(Store));
        await RunToEndAsync(Node(faulting, watch: watch), job);
        answers += faulting.Lost;

        (await waiting).ShouldNotBeNull().Job.HasEnded.ShouldBeTrue();
        answers.ShouldBe(1);
    }

    [Fact]
    public async Task The_end_of_a_job_that_is_ended_here_is_told()
    {
        using var watch = NewWatch(Store, Never);
        using var engine = Engine(Store, watch);
        var job = await SendAsync(Type, Record);
        using var waiter = engine.Watch(job.CompanyId, job.Id).ShouldNotBeNull();
        var waiting = waiter.WaitForEndAsync(Patience, Cancel);
        (await waiter.ReadAsync(Cancel)).ShouldNotBeNull().Job.HasEnded.ShouldBeFalse();

        await engine.EndJobAsync(job.CompanyId, job.Id, new("cancelled", "Cancelled by the test."), Cancel);

        (await waiting).ShouldNotBeNull().Job.Failure.ShouldNotBeNull().Code.ShouldBe("cancelled");
    }

    [Fact]
    public async Task One_query_a_round_serves_all_who_wait_and_none_is_made_where_there_are_no_other_nodes()
    {
        var time = new FakeTimeProvider();
        var store = new CountingStore(Store);
        using var watch = NewWatch(store, TimeSpan.FromMilliseconds(500), time: time);
        using var engine = Engine(store, watch);
        var jobs = new List<ApiJob>();
        for (var i = 0; i < 5; i++)
            jobs.Add(await SendAsync(Type, Record));
        var waiters = jobs.SelectMany(job => Enumerable.Range(0, 20).Select(_ => engine.Watch(job.CompanyId, job.Id).ShouldNotBeNull())).ToList();
        foreach (var waiter in waiters)
            await waiter.ReadAsync(Cancel);
        var waiting = waiters.ConvertAll(waiter => waiter.WaitForEndAsync(TimeSpan.FromHours(1), Cancel));

        // As another node would: nothing is told here.
        await RunToEndAsync(Store, jobs);
        store.Looks.ShouldBe(0);
        if (!store.IsShared)
        {
            time.Advance(TimeSpan.FromMinutes(10));
            store.Looks.ShouldBe(0);
            waiting.ShouldAllBe(wait => !wait.IsCompleted);
        }
        else
        {
            while (!waiting.TrueForAll(wait => wait.IsCompleted))
            {
                time.Advance(TimeSpan.FromMilliseconds(100));
                await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, Cancel);
            }

            (await Task.WhenAll(waiting)).ShouldAllBe(news => news!.Job.HasEnded);
            store.Looks.ShouldBe(1);
        }

        waiters.ForEach(waiter => waiter.Dispose());
        time.Advance(TimeSpan.FromHours(2));
        await Task.WhenAll(waiting);
    }

    [Fact]
    public async Task A_store_that_is_away_is_asked_again_and_that_is_said_once()
    {
        var store = new CountingStore(Store) { IsAway = true };
        using var log = new WatchLog();
        using var watch = new JobWatch(store, Options.Create(new WaitOptions { LookInterval = TimeSpan.FromMilliseconds(1) }), TimeProvider.System, log);
        using var engine = Engine(Store, watch);
        var job = await SendAsync(Type, Record);
        using var waiter = engine.Watch(job.CompanyId, job.Id).ShouldNotBeNull();
        (await waiter.ReadAsync(Cancel)).ShouldNotBeNull().Job.HasEnded.ShouldBeFalse();
        var waiting = waiter.WaitForEndAsync(Patience, Cancel);
        await RunToEndAsync(Store, job);
        watch.Doubt((job.CompanyId, job.Id));
        while (store.Looks < 5)
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, Cancel);
        waiting.IsCompleted.ShouldBeFalse();

        store.IsAway = false;

        (await waiting).ShouldNotBeNull().Job.HasEnded.ShouldBeTrue();
        log.Lines.ShouldBe(1);
    }

    [Fact]
    public async Task A_job_that_nobody_has_is_null_to_all_who_ask_and_another_companys_too()
    {
        using var watch = NewWatch(Store, Never);
        using var engine = Engine(Store, watch);
        var job = await SendAsync(Type, Record);
        using var unknown = engine.Watch(Company, Guid.CreateVersion7()).ShouldNotBeNull();
        using var others = engine.Watch(OtherCompany, job.Id).ShouldNotBeNull();

        (await unknown.WaitForEndAsync(Patience, Cancel)).ShouldBeNull();
        (await others.WaitForEndAsync(Patience, Cancel)).ShouldBeNull();
    }

    [Fact]
    public async Task As_many_wait_as_is_allowed_on_the_node_and_of_a_company_and_who_leaves_makes_room()
    {
        using var watch = NewWatch(Store, Never, maxWaiters: 3, maxOfCompany: 2);
        using var engine = Engine(Store, watch);
        var job = await SendAsync(Type, Record);
        var first = engine.Watch(Company, job.Id).ShouldNotBeNull();
        engine.Watch(Company, job.Id).ShouldNotBeNull();
        engine.Watch(Company, job.Id).ShouldBeNull();
        var other = engine.Watch(OtherCompany, job.Id).ShouldNotBeNull();
        engine.Watch(Guid.CreateVersion7(), job.Id).ShouldBeNull();

        first.Dispose();
        first.Dispose();
        watch.WaiterCount.ShouldBe(2);
        engine.Watch(Company, job.Id).ShouldNotBeNull();
        other.Dispose();
        engine.Watch(Company, job.Id).ShouldBeNull();
        engine.Watch(OtherCompany, job.Id).ShouldNotBeNull();
    }

    [Fact]
    public async Task Waiting_ends_with_the_time_with_the_callers_hanging_up_and_with_the_node()
    {
        var time = new FakeTimeProvider();
        using var watch = NewWatch(Store, Never, time: time);
        using var engine = Engine(Store, watch);
        var job = await SendAsync(Type, Record);
        using var waiter = engine.Watch(Company, job.Id).ShouldNotBeNull();
        await waiter.ReadAsync(Cancel);

        var timed = waiter.WaitForEndAsync(TimeSpan.FromSeconds(30), Cancel);
        time.Advance(TimeSpan.FromSeconds(29));
        timed.IsCompleted.ShouldBeFalse();
        time.Advance(TimeSpan.FromSeconds(1));
        (await timed).ShouldNotBeNull().Job.Status.ShouldBe(ApiJobStatus.Pending);

        using var hangUp = new CancellationTokenSource();
        var given = waiter.WaitForEndAsync(TimeSpan.FromSeconds(30), hangUp.Token);
        await hangUp.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(given);

        var stopped = waiter.WaitForEndAsync(TimeSpan.FromSeconds(30), Cancel);
        watch.Dispose();
        (await stopped.WaitAsync(Patience, Cancel)).ShouldNotBeNull().Job.HasEnded.ShouldBeFalse();
        (await waiter.WaitForEndAsync(Patience, Cancel)).ShouldNotBeNull();
    }

    [Fact]
    public async Task Older_news_never_takes_the_place_of_later_news()
    {
        using var watch = NewWatch(Store, Never);
        using var engine = Engine(Store, watch);
        var job = await SendAsync(Type, [.. Enumerable.Repeat(Record, 25)]);
        using var waiter = engine.Watch(Company, job.Id).ShouldNotBeNull();
        await waiter.ReadAsync(Cancel);

        watch.Tell(job with { NextChunk = 2 });
        watch.Tell(job with { NextChunk = 1 });
        waiter.Latest.ShouldNotBeNull().Job.NextChunk.ShouldBe(2);

        watch.Tell(job with { NextChunk = 2, EndTime = job.CreatedAt, Failure = new("cancelled", "Cancelled.") });
        watch.Tell(job with { NextChunk = 3 });
        waiter.Latest.ShouldNotBeNull().Job.HasEnded.ShouldBeTrue();
    }

    private ApiJobEngine Engine(IWholeStore store, JobWatch watch) => new(
        store, new([Operation(Type)]), Options.Create(Intake), Options.Create(new AdmissionOptions()), new WorkPace(), watch, TimeProvider.System, Log);

    private static JobWatch NewWatch(
        IJobStore store, TimeSpan lookInterval, int maxWaiters = 10_000, int maxOfCompany = 10_000, TimeProvider? time = null) => new(
        store, Options.Create(new WaitOptions { LookInterval = lookInterval, MaxWaiters = maxWaiters, MaxWaitersPerCompany = maxOfCompany }),
        time ?? TimeProvider.System, NullLogger<JobWatch>.Instance);

    /// <summary>Counts what waiting costs the store.</summary>
    private sealed class CountingStore(IWholeStore sound) : StoreDecorator(sound)
    {
        private int _finds, _messages, _looks;

        public int Finds => Volatile.Read(ref _finds);

        public int Messages => Volatile.Read(ref _messages);

        public int Looks => Volatile.Read(ref _looks);

        public volatile bool IsAway;

        /// <summary>Is done once, between reading a job and the answer.</summary>
        public Func<Task>? WhenRead { get; set; }

        public override async Task<ApiJob?> FindJobAsync(Guid companyId, Guid jobId, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _finds);
            var job = await base.FindJobAsync(companyId, jobId, cancellationToken);
            if (WhenRead is { } whenRead)
            {
                WhenRead = null;
                await whenRead();
            }

            return job;
        }

        public override Task<string> ReadMessageAsync(Guid companyId, Guid jobId, int beforeChunk, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _messages);
            return base.ReadMessageAsync(companyId, jobId, beforeChunk, cancellationToken);
        }

        public override Task<IReadOnlyList<ApiJob>> ReadChangedAsync(IReadOnlyCollection<SeenJob> seen, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _looks);
            return IsAway ? throw new StoreUnavailableException("Injected.") : base.ReadChangedAsync(seen, cancellationToken);
        }
    }

    /// <summary>Applies chunks, and once gives no answer.</summary>
    private sealed class LosingStore(IWholeStore sound) : StoreDecorator(sound)
    {
        private int _lost;

        public int Lost => _lost;

        public override async Task<IReadOnlyList<ApiJob>> ApplyAsync(
            LaneLease lease, IReadOnlyList<PendingChunk> chunks, ApplyChunks apply, CancellationToken cancellationToken)
        {
            var jobs = await base.ApplyAsync(lease, chunks, apply, cancellationToken);
            return Interlocked.Exchange(ref _lost, 1) == 0 ? throw new StoreUnavailableException("The answer was lost.") : jobs;
        }

        public override StoreFault Classify(Exception exception) =>
            exception is StoreUnavailableException ? StoreFault.Transient : base.Classify(exception);
    }

    private sealed class WatchLog : Microsoft.Extensions.Logging.ILogger<JobWatch>, IDisposable
    {
        private int _lines;

        public int Lines => Volatile.Read(ref _lines);

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(Microsoft.Extensions.Logging.LogLevel logLevel) => true;

        public void Log<TState>(
            Microsoft.Extensions.Logging.LogLevel logLevel, Microsoft.Extensions.Logging.EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter) => Interlocked.Increment(ref _lines);

        public void Dispose()
        {
        }
    }
}
