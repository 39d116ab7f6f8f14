using ApiJobs.Intake;
using ApiJobs.Jobs;
using ApiJobs.Operations;
using ApiJobs.Processing;
using ApiJobs.Storage;
using ApiJobs.Stores.Tests.Conformance;

namespace ApiJobs.Stores.Tests.Engine;

/// <summary>Rehearsals: broken off and taken up again, beside real work, and of operations that the engine does not know.</summary>
public abstract class RehearsalTests(StoreFixture stores) : EngineTests(stores)
{
    private const string A = "00000000-0000-7000-8000-00000000000a", B = "00000000-0000-7000-8000-00000000000b";

    private static readonly JobOptions DryRun = new() { DryRun = true };

    // Each depends on records before it, in other chunks: the row is made, changed, no longer changed; its ref moves on, and back.
    private static readonly string[] Story =
    [
        $$"""{"id":"{{A}}","title":"t","ref":"RA"}""", $$"""{"id":"{{A}}","notes":"n"}""", $$"""{"id":"{{A}}","notes":"n"}""",
        $$"""{"id":"{{B}}","title":"t","ref":"RA"}""", $$"""{"id":"{{A}}","ref":"RC"}""", $$"""{"id":"{{B}}","title":"t","ref":"RA"}""",
        $$"""{"id":"{{A}}","ref":"RA"}""", $$"""{"id":"{{B}}","ref":null}""", $$"""{"id":"{{A}}","ref":"RA"}""",
    ];

    private const string Told =
        "created updated unchanged failed:not_unique/ref updated created failed:not_unique/ref updated updated";

    [Fact]
    public async Task A_rehearsal_tells_what_would_be_effected_and_the_real_run_then_does_it()
    {
        Intake.ChunkRecords = 1;

        var rehearsal = await RunAsync(DryRun, "customer_case_bulk_upsert", Story);

        (await OutcomesAsync(rehearsal)).ShouldBe(Told);
        (rehearsal.Status, rehearsal.Counts).ShouldBe((ApiJobStatus.Completed, new OutcomeCounts(2, 4, 1, 2)));
        (await Rows.ListRowsAsync(Cases, Company, new() { Limit = 10 }, Cancel)).ShouldBeEmpty();
        var real = await RunAsync(JobOptions.None, "customer_case_bulk_upsert", Story);
        (await OutcomesAsync(real)).ShouldBe(Told);
        (await MessageAsync(real)).ShouldBe(await MessageAsync(rehearsal));
        (await Rows.ListRowsAsync(Cases, Company, new() { Limit = 10 }, Cancel)).Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_rehearsal_goes_on_exactly_where_a_killed_process_left_it()
    {
        Intake.ChunkRecords = 1;
        var rehearsal = await SendAsync(Company, "customer_case_bulk_upsert", DryRun, Story);

        for (var chunk = 0; chunk < Story.Length; chunk++)
        {
            await ApplyNextAsync(rehearsal);
            await CrashAndRestartAsync();
        }

        (await OutcomesAsync(await FindAsync(rehearsal))).ShouldBe(Told);
        await ExpectNothingLeftAsync();
    }

    [Fact]
    public async Task A_rehearsal_that_is_ended_in_the_middle_leaves_nothing()
    {
        Intake.ChunkRecords = 1;
        var rehearsal = await SendAsync(Company, "customer_case_bulk_upsert", DryRun, Story);
        for (var chunk = 0; chunk < 3; chunk++)
            await ApplyNextAsync(rehearsal);
        (await Database.CountRowsAsync())["rehearsal_notes"].ShouldBe(2);

        (await Store.EndJobAsync(Company, rehearsal.Id, new("cancelled", "Cancelled."), Cancel)).ShouldBe(EndResult.Ended);

        await ExpectNothingLeftAsync();
        (await Rows.ListRowsAsync(Cases, Company, new() { Limit = 10 }, Cancel)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_rehearsal_of_one_transaction_notes_nothing()
    {
        Intake.ChunkRecords = 3;
        var rehearsal = await RunAsync(DryRun, "customer_case_bulk_upsert", Story);

        (await OutcomesAsync(rehearsal)).ShouldBe(Told);
        (await Database.CountRowsAsync())["rehearsals"].ShouldBe(0);
    }

    [Fact]
    public async Task Rehearsals_and_real_jobs_of_one_transaction_do_not_see_each_other_s_rehearsed_rows()
    {
        string[] create = [$$"""{"id":"{{A}}","title":"t","ref":"RA"}"""];
        ApiJob[] jobs =
        [
            await SendAsync(Company, "customer_case_bulk_create", DryRun, create),
            await SendAsync(Company, "customer_case_bulk_create", DryRun, create),
            await SendAsync("customer_case_bulk_create", create),
            await SendAsync(Company, "customer_case_bulk_create", DryRun, create),
        ];

        var ended = await RunToEndAsync(Store, jobs);

        (await Task.WhenAll(ended.Select(OutcomesAsync))).ShouldBe(["created", "created", "created", "failed:already_exists/id"]);
    }

    [Fact]
    public async Task A_rehearsal_and_real_work_in_other_lanes_run_beside_each_other()
    {
        Offer(new Cautious());
        await RunAsync("customer_case_bulk_create", $$"""{"id":"{{A}}","title":"t"}""");
        var rehearsal = await SendAsync(Company, "customer_case_bulk_update", DryRun, [.. Enumerable.Range(0, 500).Select(i => $$"""{"id":"{{A}}","notes":"{{i}}"}""")]);
        var lane = await SendAsync("caution_bulk_create", [.. Enumerable.Repeat("""{"do":"row"}""", 300)]);
        var other = await SendAsync(OtherCompany, "customer_case_bulk_create", JobOptions.None, [.. Enumerable.Repeat("""{"title":"t"}""", 300)]);
        WorkerOptions.Slots = 2;

        var ended = await RunToEndAsync(Store, rehearsal, lane, other);

        ended.Select(job => job.Counts).ShouldBe([new(0, 500, 0, 0), new(300, 0, 0, 0), new(300, 0, 0, 0)]);
        (await ValueAsync(Cases, Guid.Parse(A), "notes")).ShouldBeNull();
        (await Rows.ListRowsAsync(Cases, Company, new() { Limit = 1_000 }, Cancel)).Count.ShouldBe(301);
    }

    [Fact]
    public async Task Faults_of_the_store_before_and_after_each_call_change_nothing_of_what_a_rehearsal_tells()
    {
        Intake.ChunkRecords = 1;
        for (var fault = 0; fault < 16; fault++)
        {
            var rehearsal = await SendAsync(Company, "customer_case_bulk_upsert", DryRun, Story);
            var faulting = new FaultingStore(Store, failingCall: fault / 2, afterTheCall: fault % 2 == 1);

            (await OutcomesAsync((await RunToEndAsync(faulting, rehearsal))[0])).ShouldBe(Told, $"fault {fault}");
        }
    }

    [Fact]
    public async Task A_coded_operation_that_can_be_rehearsed_is_done_and_rolled_back()
    {
        var operation = new Cautious();
        Offer(operation);
        string[] records = ["""{"do":"row"}""", """{"do":"same row"}""", """{"do":"crash"}""", """{"do":"same row"}""", """{"do":"row"}"""];

        var rehearsal = await RunAsync(DryRun, "caution_bulk_create", records);

        // Records do not see those before them: so the second one of the same row would be created, too.
        (await OutcomesAsync(rehearsal)).ShouldBe("created created failed:internal_error created created");
        (operation.Rehearsed, operation.SentOut).ShouldBe((true, 0));
        (await Rows.ListRowsAsync(Cases, Company, new() { Limit = 10 }, Cancel)).ShouldBeEmpty();
        await RunAsync("caution_bulk_create", """{"do":"row"}""");
        operation.SentOut.ShouldBe(1);
    }

    [Fact]
    public async Task An_operation_that_cannot_be_rehearsed_refuses_before_a_record_is_read()
    {
        var before = await Database.CountRowsAsync();
        await using var reader = new ListReader([], new InvalidOperationException("A record was read."));

        var refusal = await Should.ThrowAsync<RequestFaultException>(() => Engine().AcceptAsync(new(Company, new Reckless(), DryRun), reader, Cancel));

        refusal.Fault.Code.ShouldBe(RequestFaultCodes.NotRehearsable);
        refusal.Fault.Detail.ShouldContain("'reckless_bulk_create'");
        (await Database.CountRowsAsync()).ShouldBe(before, ignoreOrder: true);
    }

    [Fact]
    public async Task A_rehearsal_that_another_program_accepted_is_never_done_in_earnest()
    {
        var operation = new Reckless();
        Offer(operation);
        var chunks = new ChunkBuilder(Intake, operation.MaxChunkRecords);
        chunks.Add("""{"do":"row"}"""u8.ToArray());
        var job = new NewJob { Id = Guid.CreateVersion7(), CompanyId = Company, Type = operation.Type, Options = DryRun, TotalRecords = 1 };
        var accepted = (await Store.SealJobAsync(job, chunks.Close(), Cancel)).ShouldBeSealed();

        var ended = (await RunToEndAsync(Store, accepted))[0];

        (await OutcomesAsync(ended)).ShouldBe("failed:not_rehearsable");
        operation.WasCalled.ShouldBeFalse();
    }

    private async Task<ApiJob> RunAsync(JobOptions options, string type, params string[] records) =>
        (await RunToEndAsync(Store, await SendAsync(Company, type, options, records)))[0];

    /// <summary>Applies a job's next chunk, as a worker would that knows nothing of those before.</summary>
    private async Task ApplyNextAsync(ApiJob job)
    {
        var node = Node();
        var lease = new LaneLease(job.CompanyId, job.Lane, Guid.CreateVersion7());
        var chunks = await Store.ReadAheadAsync(lease, null, 1, Cancel);
        var group = ChunkGroup.Prepare(chunks, [Operation(job.Type)], Log);
        (await Store.ApplyAsync(lease, chunks, new ChunkApplier(group, new(65_536), new(), node, isolate: false, untold: []).ApplyAsync, Cancel)).ShouldNotBeEmpty();
    }

    private async Task ExpectNothingLeftAsync()
    {
        while (await Store.SweepRehearsalsAsync(Cancel))
        {
        }

        var left = await Database.CountRowsAsync();
        (left["rehearsals"], left["rehearsal_notes"]).ShouldBe((0, 0));
    }

    /// <summary>Makes rows in a lane of its own, and tells the world of them unless it rehearses.</summary>
    private sealed class Cautious() : BulkOperation<Trick>("caution_bulk_create", "Caution", TrickJson.Default.Trick)
    {
        public bool Rehearsed { get; private set; }

        public int SentOut { get; private set; }

        public override string Lane => "cautious";

        public override bool CanRehearse => true;

        protected override async Task ApplyAsync(
            IReadOnlyList<BulkRecord<Trick>> records, OperationContext context, CancellationToken cancellationToken)
        {
            foreach (var (record, content) in records)
            {
                if (content.Do == "crash")
                    throw new InvalidOperationException("The handler crashed.");
                var id = content.Do == "same row" ? Guid.Parse(A) : Guid.CreateVersion7();
                await context.Transaction.WriteRowsAsync(
                    Cases, context.CompanyId, [new(new(id, [null, null, null, "t"], context.Now, context.Now), IsNew: true, 0)], cancellationToken);
                Rehearsed |= context.IsRehearsal;
                SentOut += context.IsRehearsal ? 0 : 1;
                record.Created();
            }
        }
    }

    private sealed class Reckless() : BulkOperation<Trick>("reckless_bulk_create", "Reckless", TrickJson.Default.Trick)
    {
        public bool WasCalled { get; private set; }

        protected override Task ApplyAsync(
            IReadOnlyList<BulkRecord<Trick>> records, OperationContext context, CancellationToken cancellationToken)
        {
            WasCalled = true;
            foreach (var record in records)
                record.Record.Created();
            return Task.CompletedTask;
        }
    }
}
