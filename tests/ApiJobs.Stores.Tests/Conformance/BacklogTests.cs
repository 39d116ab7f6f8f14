using ApiJobs.Jobs;
using ApiJobs.Storage;

namespace ApiJobs.Stores.Tests.Conformance;

/// <summary>What waits, of a company and of all: the sums of the jobs that were sealed and have not ended, whatever happens to them.</summary>
public abstract class BacklogTests(StoreFixture stores) : StoreTests(stores)
{
    private static readonly JobFailure Cancelled = new("cancelled", "Cancelled by the test.");

    [Fact]
    public async Task Nothing_waits_where_nothing_was_sealed()
    {
        var upload = ChunksOf(5, 5);
        await Store.AppendChunkAsync(Company, Guid.CreateVersion7(), upload[0], Cancel);

        await ExpectAsync(Company, default);
        await ExpectAsync(null, default);
    }

    [Fact]
    public async Task A_job_waits_as_a_whole_until_it_has_ended()
    {
        var job = await SealAsync(Company, "", 2, 3);
        var next = await SealAsync(Company, "", 7);
        await ExpectAsync(Company, Of(job) + Of(next));

        var lease = await ClaimAsync();
        var chunks = await ReadAheadAsync(lease);
        await ApplyAsync(lease, chunks[0]);
        await ExpectAsync(Company, Of(job) + Of(next));

        await ApplyAsync(lease, chunks[1]);
        await ExpectAsync(Company, Of(next));
        await ApplyAsync(lease, chunks[2]);
        await ExpectAsync(Company, default);
        await Store.ReleaseLaneAsync(lease, fault: null, Cancel);
        await ExpectAsync(Company, default);
    }

    [Fact]
    public async Task All_lanes_of_a_company_count_and_those_of_others_do_not()
    {
        var mine = Of(await SealAsync(Company, "", 2)) + Of(await SealAsync(Company, "side", 3, 4)) + Of(await SealAsync(Company, "side", 1));
        var theirs = Of(await SealAsync(OtherCompany, "", 5));

        await ExpectAsync(Company, mine);
        await ExpectAsync(OtherCompany, theirs);
        await ExpectAsync(null, mine + theirs);
        await ExpectAsync(Guid.CreateVersion7(), default);
    }

    [Fact]
    public async Task A_lane_that_is_left_alone_still_waits()
    {
        var job = await SealAsync(Company, "", 2);
        var lease = await ClaimAsync();
        await Store.ReleaseLaneAsync(lease, new("It is ill.", TimeSpan.FromMinutes(1)), Cancel);

        await ExpectAsync(Company, Of(job));
        await ExpectAsync(null, Of(job));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_job_that_is_ended_otherwise_waits_no_longer_and_is_counted_once(bool isProcessing)
    {
        var first = await SealAsync(Company, "", 2, 3);
        var second = await SealAsync(Company, "", 4);
        if (isProcessing)
        {
            var lease = await ClaimAsync();
            await ApplyAsync(lease, (await ReadAheadAsync(lease))[0]);
        }

        await Store.EndJobAsync(Company, first.Id, Cancelled, Cancel);
        await Store.EndJobAsync(Company, first.Id, Cancelled, Cancel);
        await Store.EndJobAsync(OtherCompany, second.Id, Cancelled, Cancel);

        await ExpectAsync(Company, Of(second));
    }

    [Fact]
    public async Task A_job_that_a_chunk_ends_waits_no_longer()
    {
        var job = await SealAsync(Company, "", 2, 3);
        var next = await SealAsync(Company, "", 1);
        var lease = await ClaimAsync();
        var chunk = (await ReadAheadAsync(lease))[0];

        (await ApplyAsync(lease, [chunk], AllCreated(chunk) with { Failure = Cancelled })).ShouldBeTrue();

        (await FindAsync(job)).Status.ShouldBe(ApiJobStatus.Failed);
        await ExpectAsync(Company, Of(next));
    }

    [Fact]
    public async Task What_is_sealed_again_or_refused_is_not_counted_again()
    {
        var chunks = ChunksOf(2, 3);
        var request = Request(Company, "", chunks) with
        {
            Origin = new() { ClientId = "client", IdempotencyKey = "key" },
            Fingerprint = new byte[] { 1 },
        };
        var job = await UploadAsync(Store, request, chunks);
        await Store.SealJobAsync(request, chunks[1], Cancel);
        var plain = ChunksOf(4);
        var small = Request(Company, "", plain);
        await Store.SealJobAsync(small, plain[0], Cancel);
        await Store.SealJobAsync(small, plain[0], Cancel);
        (await Store.SealJobAsync(request with { Id = Guid.CreateVersion7(), TotalRecords = 4 }, plain[0], Cancel)).ShouldBeOfType<SealResult.KeyTaken>();
        (await Store.SealJobAsync(Request(Company, "", chunks), chunks[1], Cancel)).ShouldBeSwept();

        await ExpectAsync(Company, Of(job) + new Backlog(4, small.TotalBytes));
    }

    [Fact]
    public async Task Jobs_that_are_sealed_applied_and_ended_at_once_are_counted_exactly()
    {
        Guid[] companies = [Company, OtherCompany];
        var sealing = Enumerable.Range(0, 40).Select(number => Task.Run(
            async () => await SealAsync(companies[number % 2], number % 3 == 0 ? "side" : "", number % 4 == 0 ? [1, 2] : [3]), Cancel));
        var jobs = await Task.WhenAll(sealing);

        // A job that stays in each lane: of one that ran empty, a store may know without counting that nothing waits.
        var staying = new List<ApiJob>();
        foreach (var company in companies)
            staying.AddRange([await SealAsync(company, "", 5), await SealAsync(company, "side", 6)]);

        var leases = new List<LaneLease>();
        while (leases.Count < staying.Count)
            leases.Add(await ClaimAsync());

        // Two callers each end every fifth job while all are applied.
        var ending = jobs.Where((_, number) => number % 5 == 0).SelectMany(job => new[] { job, job })
            .Select(job => Task.Run(() => Store.EndJobAsync(job.CompanyId, job.Id, Cancelled, Cancel), Cancel)).ToList();
        await Task.WhenAll(leases.Select(lease => Task.Run(() => WorkAsync(lease), Cancel)));
        await Task.WhenAll(ending);

        foreach (var company in companies)
            await ExpectAsync(company, new(11, staying.Where(job => job.CompanyId == company).Sum(job => job.TotalBytes)));
        await ExpectAsync(null, new(22, staying.Sum(job => job.TotalBytes)));

        async Task WorkAsync(LaneLease lease)
        {
            // What an end overtakes is rolled back, and the next look finds what is left.
            while (await NextAsync(lease) is { Count: > 0 } chunks)
                await ApplyAsync(Store, lease, chunks);
        }

        async Task<IReadOnlyList<PendingChunk>> NextAsync(LaneLease lease) =>
            [.. (await Store.ReadAheadAsync(lease, null, 5, Cancel)).Where(chunk => staying.All(job => job.Id != chunk.Job.Id))];
    }

    [Fact]
    public async Task It_is_counted_from_what_is_there_when_the_schema_is_upgraded_and_survives_restarts()
    {
        var ended = await SealAsync(Company, "", 9);
        var lease = await ClaimAsync();
        await ApplyAsync(lease, await ReadAheadAsync(lease));
        await Store.ReleaseLaneAsync(lease, fault: null, Cancel);
        var waiting = Of(await SealAsync(Company, "", 2)) + Of(await SealAsync(Company, "side", 3, 4));
        var theirs = Of(await SealAsync(OtherCompany, "", 5));
        (await FindAsync(ended)).HasEnded.ShouldBeTrue();
        await Database.CloseAsync();
        await Database.UndoScriptAsync("0008_backlog.sql", ("lanes", "ended_records"), ("lanes", "ended_bytes"), (SealedTable, "sealed_records"), (SealedTable, "sealed_bytes"));

        await RestartAsync();

        await ExpectAsync(Company, waiting);
        await ExpectAsync(OtherCompany, theirs);
        await ExpectAsync(null, waiting + theirs);
        await DrainAsync(Store);
        await ExpectAsync(null, default);
    }

    /// <summary>The table in which what was sealed is counted.</summary>
    protected abstract string SealedTable { get; }

    protected static Backlog Of(ApiJob job) => new(job.TotalRecords, job.TotalBytes);

    protected async Task ExpectAsync(Guid? company, Backlog expected) =>
        (await Store.ReadBacklogAsync(company, Cancel)).ShouldBe(expected, company is { } id ? $"{id}" : "all");

    protected async Task<ApiJob> SealAsync(Guid company, string lane, params int[] recordCounts)
    {
        var chunks = ChunksOf(recordCounts);
        return await UploadAsync(Store, Request(company, lane, chunks), chunks);
    }

    private static NewJob Request(Guid company, string lane, IReadOnlyList<Chunk> chunks) =>
        NewJob(company, chunks, lane) with { TotalBytes = chunks.Sum(chunk => chunk.Payload.Length) };
}
