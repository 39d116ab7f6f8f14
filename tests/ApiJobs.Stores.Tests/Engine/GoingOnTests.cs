using System.Text;
using ApiJobs.Intake;
using ApiJobs.Jobs;
using ApiJobs.Records;
using ApiJobs.Storage;
using ApiJobs.Stores.Tests.Conformance;

namespace ApiJobs.Stores.Tests.Engine;

/// <summary>Jobs made of the records of others: retries and promotions.</summary>
public abstract class GoingOnTests(StoreFixture stores) : EngineTests(stores)
{
    private const string Type = "customer_case_bulk_create";

    public static TheoryData<int> Seeds { get; } = [.. Enumerable.Range(1, 12)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task A_retry_has_exactly_the_records_that_failed_or_were_not_processed_in_order(int seed)
    {
        var dice = new Random(seed);
        var job = await SendAsync(Type, [.. Enumerable.Range(0, dice.Next(1, 120)).Select(index => dice.Next(3) switch
        {
            // Spaces and members that nobody knows: what is sent again is what was sent.
            0 => $$"""{ "title" :  "t{{index}}" }""",
            1 => $$"""{"title":"","unknown":{{index}}}""",
            _ => "{}",
        })]);
        using var engine = Engine();
        job = dice.Next(3) switch
        {
            0 => await CancelAsync(job),
            1 => await CancelInTheMiddleAsync(job),
            _ => (await RunToEndAsync(Store, job))[0],
        };

        for (var generation = 0; job.Counts.Failed + job.Unprocessed > 0 && generation < 4; generation++)
        {
            var (sent, results) = (await RecordsAsync(job), await ResultsAsync(job));

            var retry = await engine.RetryAsync(job, new() { ClientId = "retrier" }, fingerprint: null, Cancel);

            (await RecordsAsync(retry)).ShouldBe(
                results.Where(result => result.Outcome is RecordOutcome.Failed or RecordOutcome.Unprocessed).Select(result => sent[(int)result.Index]));
            (retry.TotalRecords, retry.Type, retry.Options).ShouldBe((job.Counts.Failed + job.Unprocessed, job.Type, job.Options));
            (retry.Origin.ParentId, retry.Origin.ClientId, retry.MaxFailed).ShouldBe((job.Id, "retrier", null));
            (await engine.FindChildrenAsync(Company, [job.Id], Cancel))[job.Id].ShouldBe(retry.Id);
            job = (await RunToEndAsync(Store, retry))[0];
            job.Counts.Effected.ShouldBe((await RecordsAsync(retry)).Count(record => record.Contains(":  \"t", StringComparison.Ordinal)));
        }
    }

    [Fact]
    public async Task A_retry_that_is_larger_than_a_chunk_leaves_nothing_when_another_was_faster()
    {
        var job = await CancelAsync(await SendAsync(Type, [.. Enumerable.Repeat("{}", 95)]));
        var before = await Database.CountRowsAsync();
        using var engine = Engine();

        var results = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            try
            {
                return (await engine.RetryAsync(job, JobOrigin.Unknown, fingerprint: null, Cancel)).Id;
            }
            catch (RequestFaultException exception) when (exception.Fault.Code == RequestFaultCodes.AlreadyRetried)
            {
                return exception.Fault.ChildId.ShouldNotBeNull();
            }
        }, Cancel)));

        var child = results.Distinct().ShouldHaveSingleItem();
        (await Store.FindJobAsync(Company, child, Cancel)).ShouldNotBeNull();
        var after = await Database.CountRowsAsync();
        (after["jobs"], after["chunks"], after["job_children"], after["uploads"]).ShouldBe(
            (before["jobs"] + 1, before["chunks"] + 10, before["job_children"] + 1, before["uploads"]));
    }

    [Theory]
    [InlineData(ApiJobStatus.Pending, "not_ended", "not_ended")]
    [InlineData(ApiJobStatus.Processing, "not_ended", "not_ended")]
    [InlineData(ApiJobStatus.Completed, "nothing_to_retry", null)]
    [InlineData(ApiJobStatus.Failed, null, null)]
    public async Task What_can_be_done_with_a_rehearsal_depends_on_its_state(ApiJobStatus state, string? retry, string? promote)
    {
        var job = await InStateAsync(state, new() { DryRun = true });
        using var engine = Engine();

        (await CodeOfAsync(() => engine.RetryAsync(job, JobOrigin.Unknown, null, Cancel))).ShouldBe(retry);
        (await CodeOfAsync(() => engine.PromoteAsync(job, JobOrigin.Unknown, null, Cancel))).ShouldBe(promote);

        var children = await Store.FindChildrenAsync(Company, [job.Id], Cancel);
        children.Select(child => child.Descent).Order().ShouldBe(
            [.. retry is null ? [JobDescent.Retry] : Array.Empty<JobDescent>(), .. promote is null ? [JobDescent.Promotion] : Array.Empty<JobDescent>()]);
        foreach (var (descent, code) in new[] { (JobDescent.Retry, "already_retried"), (JobDescent.Promotion, "already_promoted") })
        {
            if (children.FirstOrDefault(child => child.Descent == descent) is not { } child)
                continue;
            var fault = await FaultOfAsync(() => descent == JobDescent.Retry
                ? engine.RetryAsync(job, JobOrigin.Unknown, null, Cancel)
                : engine.PromoteAsync(job, JobOrigin.Unknown, null, Cancel));
            (fault?.Code, fault?.ChildId).ShouldBe((code, child.JobId));
        }
    }

    [Theory]
    [InlineData(ApiJobStatus.Pending)]
    [InlineData(ApiJobStatus.Processing)]
    [InlineData(ApiJobStatus.Completed)]
    [InlineData(ApiJobStatus.Failed)]
    public async Task Only_a_rehearsal_is_promoted(ApiJobStatus state)
    {
        var job = await InStateAsync(state, JobOptions.None);
        var before = await Database.CountRowsAsync();
        using var engine = Engine();

        (await CodeOfAsync(() => engine.PromoteAsync(job, JobOrigin.Unknown, null, Cancel))).ShouldBe("not_a_rehearsal");

        (await Database.CountRowsAsync()).ShouldBe(before, ignoreOrder: true);
    }

    [Fact]
    public async Task A_promotion_has_all_records_of_its_rehearsal_and_is_none_itself()
    {
        var records = Enumerable.Range(0, 25).Select(index => $$"""{"title":"t{{index}}"}""").ToList();
        var rehearsal = await CancelAsync(await SendAsync(Company, Type, new() { DryRun = true, KeyField = null }, records));
        using var engine = Engine();

        var promotion = await engine.PromoteAsync(rehearsal, JobOrigin.Unknown, null, Cancel);

        promotion.Options.ShouldBe(JobOptions.None);
        (await RecordsAsync(promotion)).ShouldBe(records);
        (await RunToEndAsync(Store, promotion))[0].Counts.ShouldBe(new OutcomeCounts(25, 0, 0, 0));
    }

    [Fact]
    public async Task A_promotion_is_given_up_where_its_rehearsal_was()
    {
        FailureBound.TryParse("3", out var bound).ShouldBeTrue();
        await using var reader = new ListReader([.. Enumerable.Range(0, 60).Select(index => index < 30 ? $$"""{"title":"t{{index}}"}""" : """{"unknown":0}""")]);
        using var engine = Engine();
        var sent = await engine.AcceptAsync(new(Company, Operation(Type), new() { DryRun = true }) { MaxFailed = bound }, reader, Cancel);
        var rehearsal = (await RunToEndAsync(Store, sent))[0];
        rehearsal.Status.ShouldBe(ApiJobStatus.Failed);

        var real = (await RunToEndAsync(Store, await engine.PromoteAsync(rehearsal, JobOrigin.Unknown, null, Cancel)))[0];

        (real.MaxFailed, real.Failure, real.Counts).ShouldBe((3, rehearsal.Failure, rehearsal.Counts));
    }

    [Fact]
    public async Task What_goes_on_from_a_job_is_told_in_the_order_in_which_it_did()
    {
        var rehearsal = await CancelAsync(await SendAsync(Company, Type, new() { DryRun = true }, ["{}"]));
        using var engine = Engine();
        await engine.PromoteAsync(rehearsal, JobOrigin.Unknown, null, Cancel);
        await engine.RetryAsync(rehearsal, JobOrigin.Unknown, null, Cancel);

        var log = await engine.ReadLogAsync(rehearsal, Cancel);

        log.TakeLast(2).Select(line => line.Event).ShouldBe(["promoted_as", "retried_as"]);
        log.Select(line => line.Time).ShouldBeInOrder();
    }

    [Fact]
    public async Task A_rehearsal_s_retry_is_a_rehearsal()
    {
        var rehearsal = await CancelAsync(await SendAsync(Company, Type, new() { DryRun = true }, ["{}"]));
        using var engine = Engine();

        (await engine.RetryAsync(rehearsal, JobOrigin.Unknown, null, Cancel)).Options.DryRun.ShouldBeTrue();
    }

    [Theory]
    [InlineData("chunk_index < 3")]
    [InlineData("chunk_index >= 7")]
    public async Task Records_that_go_before_they_are_read_cannot_be_done_again_and_nothing_is_left_of_trying(string removed)
    {
        var job = await CancelAsync(await SendAsync(Type, [.. Enumerable.Repeat("{}", 100)]));
        await Database.RunBesideAsync($"DELETE FROM chunks WHERE {removed}");
        var before = await Database.CountRowsAsync();
        using var engine = Engine();

        await Should.ThrowAsync<RecordsRemovedException>(engine.RetryAsync(job, JobOrigin.Unknown, null, Cancel));

        (await Database.CountRowsAsync()).ShouldBe(before, ignoreOrder: true);
    }

    [Fact]
    public async Task A_job_whose_operation_is_gone_is_not_retried()
    {
        Offer(new FaultyOperation());
        var job = await CancelAsync(await SendAsync("faulty_bulk_create", """{"id":"1"}"""));
        using var program = new ApiJobEngine(
            Store, new([Operation(Type)]), Microsoft.Extensions.Options.Options.Create(Intake), Microsoft.Extensions.Options.Options.Create(new Admission.AdmissionOptions()), new(), Watch, TimeProvider.System, Log);

        (await CodeOfAsync(() => program.RetryAsync(job, JobOrigin.Unknown, null, Cancel))).ShouldBe("unknown_operation");
    }

    private async Task<ApiJob> InStateAsync(ApiJobStatus state, JobOptions options)
    {
        var job = await SendAsync(Company, Type, options, [.. Enumerable.Range(0, 30).Select(index => $$"""{"title":"t{{index}}"}""")]);
        job = state switch
        {
            ApiJobStatus.Pending => job,
            ApiJobStatus.Processing => await ApplyOneChunkAsync(job),
            ApiJobStatus.Completed => (await RunToEndAsync(Store, job))[0],
            _ => await CancelAsync(job),
        };
        job.Status.ShouldBe(state);
        return job;
    }

    private async Task<ApiJob> CancelAsync(ApiJob job)
    {
        using var engine = Engine();
        return (await engine.CancelAsync(Company, job.Id, "canceller", request: null, Cancel)).ShouldNotBeNull();
    }

    private async Task<ApiJob> CancelInTheMiddleAsync(ApiJob job) => await ApplyOneChunkAsync(job) is { HasEnded: true } ended ? ended : await CancelAsync(job);

    private async Task<ApiJob> ApplyOneChunkAsync(ApiJob job)
    {
        var lease = (await Store.ClaimLaneAsync("a node of the test", TimeSpan.FromSeconds(30), Cancel)).ShouldNotBeNull();
        var chunks = (await Store.ReadAheadAsync(lease, null, 1, Cancel)).Take(1).ToList();
        await Store.ApplyAsync(lease, chunks, (_, _) => Task.FromResult<IReadOnlyList<ChunkOutcome>>([Failed(chunks[0])]), Cancel);
        await Store.ReleaseLaneAsync(lease, fault: null, Cancel);
        return await FindAsync(job);
    }

    private static ChunkOutcome Failed(PendingChunk pending)
    {
        var outcomes = new byte[pending.Chunk.RecordCount];
        Array.Fill(outcomes, (byte)RecordOutcome.Failed);
        return new(outcomes, default, "", 0);
    }

    private async Task<List<string>> RecordsAsync(ApiJob job) =>
    [
        .. (await Store.ReadResultsAsync(Company, job.Id, 0, int.MaxValue, Cancel))
            .SelectMany(result => ChunkPayload.Split(result.Chunk.Payload)).Select(record => Encoding.UTF8.GetString(record.Span)),
    ];

    private static async Task<string?> CodeOfAsync(Func<Task> call) => (await FaultOfAsync(call))?.Code;

    private static async Task<RequestFault?> FaultOfAsync(Func<Task> call)
    {
        try
        {
            await call();
            return null;
        }
        catch (RequestFaultException exception)
        {
            return exception.Fault;
        }
    }
}
