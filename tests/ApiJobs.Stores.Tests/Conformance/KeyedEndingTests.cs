using ApiJobs.Jobs;
using ApiJobs.Storage;

namespace ApiJobs.Stores.Tests.Conformance;

/// <summary>Ending a job by a request that may come again: its key is kept exactly when the request has ended the job.</summary>
public abstract class KeyedEndingTests(StoreFixture stores) : StoreTests(stores)
{
    private static readonly JobFailure Cancelled = new("cancelled", "Cancelled by the test.");
    private static readonly KeyedRequest Request = new("client", "key", new byte[] { 1, 2, 3 });

    [Fact]
    public async Task The_key_stands_for_the_job_from_the_end_on()
    {
        var job = await AcceptAsync(Company, 1);
        (await Store.FindKeyAsync(Company, "client", "key", Cancel)).ShouldBeNull();

        (await EndAsync(job.Id)).ShouldBe(EndResult.Ended);

        var holder = (await Store.FindKeyAsync(Company, "client", "key", Cancel)).ShouldNotBeNull();
        holder.JobId.ShouldBe(job.Id);
        holder.Fingerprint.ToArray().ShouldBe(Request.Fingerprint.ToArray());
        foreach (var (company, client, key) in new[] { (OtherCompany, "client", "key"), (Company, null, "key"), (Company, "Client", "key"), (Company, "client", "KEY") })
            (await Store.FindKeyAsync(company, client, key, Cancel)).ShouldBeNull();
        (await Store.SealJobAsync(KeyedJob(), ChunksOf(1)[0], Cancel)).ShouldBeOfType<SealResult.KeyTaken>().JobId.ShouldBe(job.Id);
        (await FindAsync(job)).Failure.ShouldBe(Cancelled);
    }

    [Fact]
    public async Task A_key_that_is_taken_ends_nothing()
    {
        var holder = (await Store.SealJobAsync(KeyedJob(), ChunksOf(1)[0], Cancel)).ShouldBeSealed();
        var job = await AcceptAsync(Company, 1);
        var before = await Database.CountRowsAsync();

        (await EndAsync(job.Id)).ShouldBe(EndResult.KeyTaken);

        (await FindAsync(job)).ShouldBe(job);
        (await Database.CountRowsAsync()).ShouldBe(before, ignoreOrder: true);
        (await Store.FindKeyAsync(Company, "client", "key", Cancel)).ShouldNotBeNull().JobId.ShouldBe(holder.Id);
        // Neither is anything held of it.
        (await Store.EndJobAsync(Company, job.Id, Cancelled, Cancel)).ShouldBe(EndResult.Ended);
    }

    [Fact]
    public async Task What_cannot_be_ended_leaves_the_key_free()
    {
        var ended = await AcceptAsync(Company, 1);
        await DrainAsync(Store);
        var before = await Database.CountRowsAsync();

        (await EndAsync(ended.Id)).ShouldBe(EndResult.HadEnded);
        (await EndAsync(Guid.CreateVersion7())).ShouldBe(EndResult.Unknown);

        (await Database.CountRowsAsync()).ShouldBe(before, ignoreOrder: true);
        (await Store.FindKeyAsync(Company, "client", "key", Cancel)).ShouldBeNull();
    }

    [Fact]
    public async Task Of_thirty_at_once_with_one_key_one_ends_the_job()
    {
        var job = await AcceptAsync(Company, 2, 1);
        IJobStore[] nodes = [Store, await AnotherNodeAsync()];

        var results = await Task.WhenAll(Enumerable.Range(0, 30).Select(sender => Task.Run(
            () => nodes[sender % 2].EndJobAsync(Company, job.Id, Cancelled, Request, Cancel), Cancel)));

        results.Count(result => result == EndResult.Ended).ShouldBe(1);
        results.ShouldAllBe(result => result == EndResult.Ended || result == EndResult.HadEnded);
        (await Store.FindKeyAsync(Company, "client", "key", Cancel)).ShouldNotBeNull().JobId.ShouldBe(job.Id);
    }

    [Fact]
    public async Task It_waits_for_a_chunk_that_is_being_applied()
    {
        var job = await AcceptAsync(Company, 2, 1);
        var lease = await ClaimAsync();
        var first = (await ReadAheadAsync(lease)).Take(1).ToList();
        var (inside, goOn) = (new TaskCompletionSource(), new TaskCompletionSource());
        var applying = Store.ApplyAsync(lease, first, async (transaction, cancellationToken) =>
        {
            inside.SetResult();
            await goOn.Task;
            return await Effects(first)(transaction, cancellationToken);
        }, Cancel);
        await inside.Task.WaitAsync(Patience, Cancel);

        var ending = EndAsync(job.Id);
        goOn.SetResult();

        (await applying).ShouldHaveSingleItem().HasEnded.ShouldBeFalse();
        (await ending).ShouldBe(EndResult.Ended);
        (await FindAsync(job)).Counts.Created.ShouldBe(2);
    }

    [Fact]
    public async Task All_keys_of_a_job_go_with_it()
    {
        var before = await Database.CountRowsAsync();
        var job = (await Store.SealJobAsync(KeyedJob() with { Origin = new() { ClientId = "client", IdempotencyKey = "first" } }, ChunksOf(1)[0], Cancel)).ShouldBeSealed();
        await EndAsync(job.Id);
        await Database.PassTimeAsync(TimeSpan.FromDays(2));

        while (await Store.RemoveEndedAsync(Company, TimeSpan.FromDays(1), EndedPart.Jobs, Cancel)) { }

        (await Database.CountRowsAsync())["idempotency_keys"].ShouldBe(before["idempotency_keys"]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task It_survives_the_node_together_with_the_end(bool crash)
    {
        var job = await AcceptAsync(Company, 1);
        await EndAsync(job.Id);

        await (crash ? CrashAndRestartAsync() : RestartAsync());

        (await Store.FindKeyAsync(Company, "client", "key", Cancel)).ShouldNotBeNull().JobId.ShouldBe(job.Id);
        (await FindAsync(job)).HasEnded.ShouldBeTrue();
    }

    private Task<EndResult> EndAsync(Guid job) => Store.EndJobAsync(Company, job, Cancelled, Request, Cancel);

    private NewJob KeyedJob() => NewJob(Company, ChunksOf(1)) with
    {
        Id = Guid.CreateVersion7(Now),
        Origin = new() { ClientId = Request.ClientId, IdempotencyKey = Request.Key },
        Fingerprint = Request.Fingerprint,
    };
}
