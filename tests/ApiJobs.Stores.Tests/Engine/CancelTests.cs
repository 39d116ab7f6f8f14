using ApiJobs.Jobs;
using ApiJobs.Processing;
using ApiJobs.Records;
using ApiJobs.Storage;
using ApiJobs.Stores.Tests.Broken;
using ApiJobs.Stores.Tests.Conformance;

namespace ApiJobs.Stores.Tests.Engine;

/// <summary>Cancelling a job that workers are busy with.</summary>
public abstract class CancelTests(StoreFixture stores) : EngineTests(stores)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_huge_job_ends_within_two_slices_with_exact_counts_and_the_lane_goes_on()
    {
        const int Records = 300_000;
        Intake.ChunkRecords = 1_000;
        var store = new CountingGroups(Store);
        var huge = await SendAsync("customer_case_bulk_create", [.. Enumerable.Repeat("""{"title":"t"}""", Records)]);
        var next = await SendAsync("customer_case_bulk_create", """{"title":"next"}""");
        using var engine = Engine();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var working = Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Task.Run(() => new Worker(Node(store)).RunAsync(stop.Token), Cancel)));
        await store.ReachedAsync(5).WaitAsync(Patience, Cancel);

        var before = store.Groups;
        var cancelled = (await engine.CancelAsync(Company, huge.Id, "crm", request: null, Cancel)).ShouldNotBeNull();
        var during = store.Groups - before;

        // A group that is about to begin may be faster; no slice goes on for longer.
        during.ShouldBeLessThan(10);
        (cancelled.Status, cancelled.Failure).ShouldBe((ApiJobStatus.Failed, JobFailure.Cancelled("crm")));
        cancelled.Unprocessed.ShouldBeInRange(1, Records - 1);
        while (!(await FindAsync(next)).HasEnded)
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Cancel);
        await stop.CancelAsync();
        await working;
        (await FindAsync(huge)).ShouldBe(cancelled);
        var outcomes = (await ResultsAsync(cancelled)).Select(result => result.Outcome).ToList();
        outcomes.Count(outcome => outcome == RecordOutcome.Created).ShouldBe((int)cancelled.Counts.Created);
        outcomes.Skip((int)cancelled.Counts.Processed).ShouldAllBe(outcome => outcome == RecordOutcome.Unprocessed);
        (await Rows.ListRowsAsync(Cases, Company, new() { Limit = Records + 1 }, Cancel)).Count.ShouldBe((int)cancelled.Counts.Created + 1);
        JobMessageText.Render(cancelled, "", "/records").ShouldBe(
            $"The job was cancelled by client crm. {cancelled.Unprocessed} records were not processed.");
    }

    [Fact]
    public async Task Who_sends_a_cancel_again_under_its_key_gets_the_job_and_anybody_else_is_refused()
    {
        var (job, other) = (await SendAsync("customer_case_bulk_create", "{}"), await SendAsync("customer_case_bulk_create", "{}"));
        var request = new KeyedRequest("crm", "key", new byte[] { 1 });
        using var engine = Engine();

        var first = await engine.CancelAsync(Company, job.Id, "crm", request, Cancel);

        first.ShouldNotBeNull().HasEnded.ShouldBeTrue();
        (await engine.CancelAsync(Company, job.Id, "crm", request, Cancel)).ShouldBe(first);
        (await FaultOfAsync(() => engine.CancelAsync(Company, job.Id, "crm", null, Cancel))).ShouldBe("already_ended");
        (await FaultOfAsync(() => engine.CancelAsync(Company, job.Id, "crm", request with { Key = "other" }, Cancel))).ShouldBe("already_ended");
        (await FaultOfAsync(() => engine.CancelAsync(Company, other.Id, "crm", request with { Fingerprint = new byte[] { 2 } }, Cancel))).ShouldBe("idempotency_key_reused");
        (await FindAsync(other)).HasEnded.ShouldBeFalse();
        (await engine.CancelAsync(OtherCompany, other.Id, "crm", null, Cancel)).ShouldBeNull();
    }

    [Fact]
    public async Task Of_many_cancels_at_once_with_one_key_all_get_the_job()
    {
        var job = await SendAsync("customer_case_bulk_create", "{}");
        using var engine = Engine();

        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => Task.Run(
            () => engine.CancelAsync(Company, job.Id, "crm", new("crm", "key", new byte[] { 1 }), Cancel), Cancel)));

        answers.Distinct().ShouldHaveSingleItem().ShouldBe(await FindAsync(job));
    }

    private static async Task<string?> FaultOfAsync(Func<Task> call) =>
        (await Record.ExceptionAsync(call) as Intake.RequestFaultException)?.Fault.Code;

    /// <summary>Counts the groups that were applied.</summary>
    private sealed class CountingGroups(IWholeStore store) : StoreDecorator(store)
    {
        private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _groups, _goal = int.MaxValue;

        public int Groups => Volatile.Read(ref _groups);

        public Task ReachedAsync(int groups)
        {
            Volatile.Write(ref _goal, groups);
            return _reached.Task;
        }

        public override async Task<IReadOnlyList<ApiJob>> ApplyAsync(
            LaneLease lease, IReadOnlyList<PendingChunk> chunks, ApplyChunks apply, CancellationToken cancellationToken)
        {
            var jobs = await base.ApplyAsync(lease, chunks, apply, cancellationToken);
            if (jobs.Count > 0 && Interlocked.Increment(ref _groups) >= Volatile.Read(ref _goal))
                _reached.TrySetResult();
            return jobs;
        }
    }
}
