using ApiJobs.Jobs;
using ApiJobs.Storage;

namespace ApiJobs.Stores.Tests.Conformance;

/// <summary>What sealing comes to: a job, an upload that is gone, or an idempotency key that is taken. And what a job remembers of who asked.</summary>
public abstract class SealingTests(StoreFixture stores) : StoreTests(stores)
{
    private static readonly byte[] Fingerprint = [.. Enumerable.Range(0, 32).Select(value => (byte)value)];

    [Fact]
    public async Task A_job_keeps_who_asked_for_it_and_how()
    {
        var origin = new JobOrigin
        {
            ClientId = "client é",
            ParentId = Guid.CreateVersion7(),
            IdempotencyKey = "key \U0001F511",
            TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        };

        var job = await SealAsync(Request(origin));

        job.Origin.ShouldBe(origin);
        (await FindAsync(job)).ShouldBe(job);
        (await ReadAheadAsync(await ClaimAsync())).ShouldHaveSingleItem().Job.ShouldBe(job);
    }

    [Fact]
    public async Task A_job_of_which_nothing_is_known_says_so() => (await FindAsync(await AcceptAsync(Company, 1))).Origin.ShouldBe(JobOrigin.Unknown);

    [Fact]
    public async Task A_key_that_was_used_gives_its_job_and_what_it_was_sealed_with()
    {
        var first = await SealAsync(Request(WithKey("k")));
        var before = await Database.CountRowsAsync();
        var again = Request(WithKey("k")) with { Fingerprint = new byte[32] };

        var taken = (await Store.SealJobAsync(again, ChunksOf(1)[0], Cancel)).ShouldBeOfType<SealResult.KeyTaken>();

        taken.JobId.ShouldBe(first.Id);
        taken.Fingerprint.ToArray().ShouldBe(Fingerprint);
        (await Database.CountRowsAsync()).ShouldBe(before, ignoreOrder: true);
        (await Store.FindJobAsync(Company, again.Id, Cancel)).ShouldBeNull();
        (await AcceptAsync(Company, 1)).Position.ShouldBe(2);
    }

    [Fact]
    public async Task What_was_uploaded_under_a_taken_key_is_still_there_to_be_abandoned()
    {
        await SealAsync(Request(WithKey("k")));
        var before = await Database.CountRowsAsync();
        var chunks = ChunksOf(2, 1);
        var again = NewJob(Company, chunks) with { Origin = WithKey("k"), Fingerprint = Fingerprint };
        await Store.AppendChunkAsync(Company, again.Id, chunks[0], Cancel);

        (await Store.SealJobAsync(again, chunks[1], Cancel)).ShouldBeOfType<SealResult.KeyTaken>();
        await Store.AbandonUploadAsync(Company, again.Id, Cancel);

        (await Database.CountRowsAsync()).ShouldBe(before, ignoreOrder: true);
    }

    [Fact]
    public async Task Sealing_again_with_its_key_gives_the_same_job()
    {
        var request = Request(WithKey("k"));
        var chunk = ChunksOf(1)[0];
        var job = (await Store.SealJobAsync(request, chunk, Cancel)).ShouldBeSealed();

        (await Store.SealJobAsync(request, chunk, Cancel)).ShouldBe(new SealResult.Sealed(job));
    }

    [Fact]
    public async Task A_key_is_its_company_s_and_its_client_s_own()
    {
        await SealAsync(Request(WithKey("k", "client")));

        await SealAsync(Request(WithKey("k", "another")));
        await SealAsync(Request(WithKey("k", client: null)));
        await SealAsync(Request(WithKey("k", "client"), OtherCompany));
        await SealAsync(Request(WithKey("K", "client")));
        (await Store.SealJobAsync(Request(WithKey("k", client: null)), ChunksOf(1)[0], Cancel)).ShouldBeOfType<SealResult.KeyTaken>();
    }

    [Fact]
    public async Task Of_fifty_at_once_with_one_key_one_is_made_and_the_others_are_told_which()
    {
        IJobStore[] nodes = [Store, await AnotherNodeAsync()];

        var results = await Task.WhenAll(Enumerable.Range(0, 50).Select(sender => Task.Run(
            () => nodes[sender % 2].SealJobAsync(Request(WithKey("k")), ChunksOf(1)[0], Cancel), Cancel)));

        var made = results.OfType<SealResult.Sealed>().ShouldHaveSingleItem().Job;
        results.OfType<SealResult.KeyTaken>().Select(taken => taken.JobId).ShouldBe(Enumerable.Repeat(made.Id, 49));
        (await AcceptAsync(Company, 1)).Position.ShouldBe(2);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_key_survives_the_node(bool crash)
    {
        var job = await SealAsync(Request(WithKey("k")));

        await (crash ? CrashAndRestartAsync() : RestartAsync());

        (await Store.SealJobAsync(Request(WithKey("k")), ChunksOf(1)[0], Cancel)).ShouldBeOfType<SealResult.KeyTaken>().JobId.ShouldBe(job.Id);
    }

    [Fact]
    public async Task A_key_goes_with_its_job()
    {
        await SealAsync(Request(WithKey("k")));
        await DrainAsync(Store);
        await Database.PassTimeAsync(TimeSpan.FromDays(2));
        while (await Store.RemoveEndedAsync(Company, TimeSpan.FromDays(1), EndedPart.Records, Cancel)) { }
        (await Store.SealJobAsync(Request(WithKey("k")), ChunksOf(1)[0], Cancel)).ShouldBeOfType<SealResult.KeyTaken>();

        while (await Store.RemoveEndedAsync(Company, TimeSpan.FromDays(1), EndedPart.Jobs, Cancel)) { }

        await SealAsync(Request(WithKey("k")));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task A_chunk_that_is_not_the_upload_s_next_is_refused_and_nothing_is_written(int index)
    {
        var chunks = ChunksOf(1, 1, 1);
        var request = NewJob(Company, chunks);
        await Store.AppendChunkAsync(Company, request.Id, chunks[0], Cancel);
        var before = await Database.CountRowsAsync();
        var wrong = chunks[1] with { Index = index };

        if (index > 0)
            await Should.ThrowAsync<InvalidOperationException>(Store.AppendChunkAsync(Company, request.Id, wrong, Cancel));
        await Should.ThrowAsync<InvalidOperationException>(Store.SealJobAsync(request, wrong, Cancel));

        (await Database.CountRowsAsync()).ShouldBe(before, ignoreOrder: true);
        (await Store.AppendChunkAsync(Company, request.Id, chunks[1], Cancel)).ShouldBeTrue();
        (await Store.SealJobAsync(request, chunks[2], Cancel)).ShouldBeSealed();
    }

    [Fact]
    public async Task A_number_of_records_that_is_not_that_of_the_chunks_is_refused()
    {
        var chunks = ChunksOf(2, 1);
        var request = NewJob(Company, chunks) with { TotalRecords = 4 };
        await Store.AppendChunkAsync(Company, request.Id, chunks[0], Cancel);
        var before = await Database.CountRowsAsync();

        await Should.ThrowAsync<InvalidOperationException>(Store.SealJobAsync(request, chunks[1], Cancel));

        (await Database.CountRowsAsync()).ShouldBe(before, ignoreOrder: true);
        (await Store.SealJobAsync(request with { TotalRecords = 3 }, chunks[1], Cancel)).ShouldBeSealed();
    }

    [Fact]
    public async Task Jobs_of_a_lane_are_never_older_than_those_before_them()
    {
        var jobs = new List<ApiJob>();
        for (var job = 0; job < 5; job++)
        {
            var chunks = ChunksOf(1, 1);
            var request = NewJob(Company, chunks);
            await Store.AppendChunkAsync(Company, request.Id, chunks[0], Cancel);
            if (job % 2 == 0)
                Database.Clock.Advance(TimeSpan.FromMilliseconds(1));
            jobs.Add((await Store.SealJobAsync(request, chunks[1], Cancel)).ShouldBeSealed());
        }

        jobs.Select(job => job.CreatedAt).ShouldBeInOrder();
        jobs.ShouldAllBe(job => job.UpdatedAt >= job.CreatedAt);
    }

    private static JobOrigin WithKey(string key, string? client = "client") => new() { ClientId = client, IdempotencyKey = key };

    // Retention goes by ids as well, which are of the test's time.
    private NewJob Request(JobOrigin origin, Guid? company = null) =>
        NewJob(company ?? Company, ChunksOf(1)) with { Id = Guid.CreateVersion7(Now), Origin = origin, Fingerprint = origin.IdempotencyKey is null ? default : Fingerprint };

    private async Task<ApiJob> SealAsync(NewJob request) => (await Store.SealJobAsync(request, ChunksOf(1)[0], Cancel)).ShouldBeSealed();
}
