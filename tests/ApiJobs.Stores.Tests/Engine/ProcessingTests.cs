using System.Text;
using System.Text.Json.Serialization;
using ApiJobs.Intake;
using ApiJobs.Jobs;
using ApiJobs.Operations;
using ApiJobs.Records;
using ApiJobs.Stores.Tests.Conformance;

namespace ApiJobs.Stores.Tests.Engine;

/// <summary>How jobs run: in order, chunk by chunk, fairly, and whatever a handler or a record does.</summary>
public abstract class ProcessingTests(StoreFixture stores) : EngineTests(stores)
{
    private const string A = "00000000-0000-7000-8000-00000000000a";

    [Fact]
    public async Task The_last_of_many_writes_to_a_key_wins_over_chunks_and_jobs()
    {
        await RunAsync("customer_case_bulk_create", $$"""{"id":"{{A}}","title":"a"}""");
        var jobs = new List<ApiJob>();
        for (var job = 0; job < 5; job++)
            jobs.Add(await SendAsync("customer_case_bulk_update", [.. Enumerable.Range(0, 25).Select(i => $$"""{"id":"{{A}}","notes":"{{job}}.{{i}}"}""")]));

        await RunToEndAsync(Store, jobs);

        (await ValueAsync(Cases, Guid.Parse(A), "notes")).ShouldBe("4.24");
    }

    [Fact]
    public async Task A_request_of_many_chunks_gives_every_record_its_outcome_in_input_order()
    {
        var job = await RunAsync("customer_case_bulk_create", [.. Enumerable.Range(0, 1_234).Select(i => i % 100 == 7 ? "{}" : $$"""{"title":"t{{i}}"}""")]);

        var results = await ResultsAsync(job);

        job.ChunkCount.ShouldBe(124);
        job.Counts.ShouldBe(new OutcomeCounts(1_221, 0, 0, 13));
        results.Select(result => result.Index).ShouldBe(Enumerable.Range(0, 1_234).Select(i => (long)i));
        results.Where(result => result.Outcome == RecordOutcome.Failed).Select(result => result.Index % 100).Distinct().ShouldBe([7]);
        results.Select(result => result.Key).OfType<string>().Distinct().Count().ShouldBe(1_221);
    }

    [Fact]
    public async Task A_job_that_is_entirely_wrong_completes_with_nothing_effected()
    {
        var job = await RunAsync("customer_case_bulk_update", [.. Enumerable.Repeat("{}", 30)]);

        job.Status.ShouldBe(ApiJobStatus.Completed);
        (job.Counts.Effected, job.Counts.Failed).ShouldBe((0, 30));
    }

    [Fact]
    public async Task A_small_job_beside_another_company_s_huge_one_ends_while_the_huge_one_runs()
    {
        Intake.ChunkRecords = 1_000;
        var huge = await SendAsync("customer_case_bulk_create", [.. Enumerable.Repeat("""{"title":"t"}""", 100_000)]);
        var small = await SendAsync(OtherCompany, "customer_case_bulk_create", JobOptions.None, [.. Enumerable.Repeat("""{"title":"t"}""", 10)]);

        await RunToEndAsync(Store, small);

        (await FindAsync(huge)).HasEnded.ShouldBeFalse();
    }

    [Fact]
    public async Task A_record_that_crashes_its_operation_three_times_is_given_up_and_its_neighbours_are_applied()
    {
        var operation = new TrickyOperation();
        Offer(operation);

        var job = await RunAsync("trick_bulk_create", """{"do":"row"}""", """{"do":"crash"}""", """{"do":"row"}""", """{"do":"crash once"}""", """{"do":"row"}""");

        (await OutcomesAsync(job)).ShouldBe("created failed:internal_error created created created");
        operation.CrashesAlone.ShouldBe(3);
        (await Rows.ListRowsAsync(Cases, Company, new() { Limit = 10 }, Cancel)).Count.ShouldBe(4);
    }

    [Fact]
    public async Task A_record_that_breaks_a_rule_of_the_database_fails_alone()
    {
        Offer(new TrickyOperation());

        var job = await RunAsync("trick_bulk_create", """{"do":"row"}""", """{"do":"same row"}""", """{"do":"same row"}""", """{"do":"row"}""");

        (await OutcomesAsync(job)).ShouldBe("created created failed:constraint_violation created");
        (await Rows.ListRowsAsync(Cases, Company, new() { Limit = 10 }, Cancel)).Count.ShouldBe(3);
    }

    [Fact]
    public async Task A_record_that_an_operation_forgets_is_an_error_of_its_own()
    {
        Offer(new TrickyOperation());

        (await OutcomesAsync(await RunAsync("trick_bulk_create", """{"do":"row"}""", """{"do":"nothing"}"""))).ShouldBe("created failed:internal_error");
    }

    [Fact]
    public async Task A_record_that_a_coded_operation_cannot_read_or_refuses_has_its_error()
    {
        Offer(new TrickyOperation());

        (await OutcomesAsync(await RunAsync("trick_bulk_create", """{"do":1}""", """{"do":"refuse"}""", """{"do":"\ud800"}""", """{"do":"row"}""")))
            .ShouldBe("failed:wrong_type/do failed:refused/do failed:wrong_type/do created");
    }

    [Fact]
    public async Task A_body_that_turns_out_broken_leaves_nothing()
    {
        var before = await Database.CountRowsAsync();
        var fault = new RequestFaultException(new("malformed_body", "Broken."));
        await using var reader = new ListReader([.. Enumerable.Repeat("{}", 35)], fault);

        (await Should.ThrowAsync<RequestFaultException>(() => Engine().AcceptAsync(new(Company, new TrickyOperation(), JobOptions.None), reader, Cancel)))
            .ShouldBeSameAs(fault);

        (await Database.CountRowsAsync()).ShouldBe(before, ignoreOrder: true);
    }

    [Theory]
    [InlineData("customer_case_bulk_update", null, "id")]
    [InlineData("customer_case_bulk_upsert", "ref", "ref")]
    public async Task A_header_without_the_key_s_column_is_refused_instead_of_every_record(string type, string? keyField, string missing)
    {
        using var body = new MemoryStream(Encoding.UTF8.GetBytes("notes,title\nn,t\n"));
        await using var reader = new CsvRecordReader(body, Intake);
        var request = new BulkRequest(Company, Operation(type), new JobOptions { KeyField = keyField });

        var fault = (await Should.ThrowAsync<RequestFaultException>(() => Engine().AcceptAsync(request, reader, Cancel))).Fault;

        (fault.Code, fault.Line).ShouldBe((RequestFaultCodes.WrongShape, 1));
        fault.Detail.ShouldContain($"'{missing}'");
    }

    [Fact]
    public async Task A_create_needs_no_key_in_its_header()
    {
        using var body = new MemoryStream(Encoding.UTF8.GetBytes("title,meta.branch\nt,Leeds\n"));
        await using var reader = new CsvRecordReader(body, Intake);
        var job = await Engine().AcceptAsync(new(Company, Operation("customer_case_bulk_create"), JobOptions.None), reader, Cancel);

        (await OutcomesAsync((await RunToEndAsync(Store, job))[0])).ShouldBe("created");
    }

    [Fact]
    public async Task A_request_without_records_is_refused() =>
        (await Should.ThrowAsync<RequestFaultException>(() => SendAsync("customer_case_bulk_create"))).Fault.Code.ShouldBe(RequestFaultCodes.NoRecords);

    [Fact]
    public async Task A_request_with_too_many_records_is_refused_and_leaves_nothing()
    {
        Intake.MaxRecords = 25;
        var before = await Database.CountRowsAsync();

        var exception = await Should.ThrowAsync<RequestFaultException>(
            () => SendAsync("customer_case_bulk_create", [.. Enumerable.Repeat("""{"title":"t"}""", 26)]));

        (exception.Fault.Code, exception.Fault.RecordIndex).ShouldBe((RequestFaultCodes.TooManyRecords, 25));
        (await Database.CountRowsAsync()).ShouldBe(before, ignoreOrder: true);
    }

    [Fact]
    public async Task Jobs_of_an_operation_that_is_gone_wait_and_do_not_hold_up_other_companies()
    {
        await using var reader = new ListReader(["{}"]);
        var lost = await Engine().AcceptAsync(new(Company, new TrickyOperation(), JobOptions.None), reader, Cancel);
        var good = await SendAsync(OtherCompany, "customer_case_bulk_create", JobOptions.None, ["""{"title":"t"}"""]);

        await RunToEndAsync(Store, good);

        (await FindAsync(lost)).Status.ShouldBe(ApiJobStatus.Pending);
        Offer(new TrickyOperation());
        (await RunToEndAsync(Store, lost))[0].Status.ShouldBe(ApiJobStatus.Completed);
    }

    [Fact]
    public async Task Faults_of_the_store_before_and_after_each_call_lose_and_double_nothing()
    {
        // The n-th call fails, before it is made or after; then every call succeeds again. One n after another.
        for (var fault = 0; fault < 24; fault++)
        {
            var job = await SendAsync("customer_case_bulk_create", [.. Enumerable.Range(0, 25).Select(i => $$"""{"title":"{{fault}}.{{i}}"}""")]);
            var faulting = new FaultingStore(Store, failingCall: fault / 2, afterTheCall: fault % 2 == 1);

            var ended = (await RunToEndAsync(faulting, job))[0];

            ended.Counts.ShouldBe(new OutcomeCounts(25, 0, 0, 0), $"fault {fault}");
        }

        (await Rows.ListRowsAsync(Cases, Company, new() { Limit = 10_000 }, Cancel)).Count.ShouldBe(24 * 25);
    }

    private sealed class TrickyOperation() : BulkOperation<Trick>("trick_bulk_create", "Trick", TrickJson.Default.Trick)
    {
        private bool _crashedOnce;

        public int CrashesAlone { get; private set; }

        protected override void Check(BulkRecord<Trick> record)
        {
            if (record.Content.Do == "refuse")
                record.Record.Fail("refused", "Not this one.", "/do");
        }

        protected override async Task ApplyAsync(
            IReadOnlyList<BulkRecord<Trick>> records, OperationContext context, CancellationToken cancellationToken)
        {
            foreach (var (record, content) in records)
            {
                if (content.Do == "crash")
                {
                    CrashesAlone += records.Count == 1 ? 1 : 0;
                    throw new InvalidOperationException("The handler crashed.");
                }

                if (content.Do == "crash once" && records.Count == 1 && !_crashedOnce)
                {
                    _crashedOnce = true;
                    throw new InvalidOperationException("The handler crashed, but only once.");
                }

                if (content.Do == "nothing")
                    continue;
                var id = content.Do == "same row" ? Guid.Parse(A) : Guid.CreateVersion7();
                await context.Transaction.WriteRowsAsync(
                    Cases, context.CompanyId, [new(new(id, [null, null, null, "t"], context.Now, context.Now), IsNew: true, 0)], cancellationToken);
                record.Created();
            }
        }
    }
}

internal sealed record Trick(string? Do);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(Trick))]
internal sealed partial class TrickJson : JsonSerializerContext;
