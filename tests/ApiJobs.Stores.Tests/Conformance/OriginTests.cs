using ApiJobs.Jobs;

namespace ApiJobs.Stores.Tests.Conformance;

/// <summary>A job knows who asked for it. That says nothing of what it does.</summary>
public abstract class OriginTests(StoreFixture stores) : StoreTests(stores)
{
    private static readonly JobOrigin Everything = new()
    {
        ClientId = new string('c', JobOrigin.MaxTextLength),
        ParentId = Guid.CreateVersion7(),
        IdempotencyKey = "ключ \U0001F511 '\"",
        TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    };

    public static TheoryData<JobOrigin> Origins { get; } = new(
        JobOrigin.Unknown, Everything, Everything with { ClientId = null }, Everything with { ParentId = null },
        Everything with { IdempotencyKey = null }, Everything with { TraceParent = null });

    [Theory]
    [MemberData(nameof(Origins))]
    public async Task An_origin_is_kept_as_it_came_and_is_there_wherever_the_job_is(JobOrigin origin)
    {
        ArgumentNullException.ThrowIfNull(origin);
        var chunks = ChunksOf(1);
        var request = NewJob(Company, chunks) with { Origin = origin, Fingerprint = origin.IdempotencyKey is null ? default : new byte[] { 1 } };

        (await UploadAsync(Store, request, chunks)).Origin.ShouldBe(origin);

        await RestartAsync();
        (await Store.FindJobAsync(Company, request.Id, Cancel)).ShouldNotBeNull().Origin.ShouldBe(origin);
        var lease = await ClaimAsync();
        var pending = await ReadAheadAsync(lease);
        pending.ShouldHaveSingleItem().Job.Origin.ShouldBe(origin);
        (await Store.ApplyAsync(lease, pending, Effects(pending), Cancel)).ShouldHaveSingleItem().Origin.ShouldBe(origin);
    }

    [Fact]
    public async Task Jobs_of_different_origins_are_applied_together()
    {
        var jobs = new List<ApiJob>();
        foreach (var client in new[] { "one", "another", null })
        {
            var chunks = ChunksOf(1, 1);
            jobs.Add(await UploadAsync(Store, NewJob(Company, chunks) with { Origin = new() { ClientId = client } }, chunks));
        }

        var lease = await ClaimAsync();
        var applied = await ReadAheadAsync(lease);
        var ended = await Store.ApplyAsync(lease, applied, Effects(applied), Cancel);

        ended.Select(job => (job.Id, job.Origin, job.Status)).ShouldBe(jobs.Select(job => (job.Id, job.Origin, ApiJobStatus.Completed)));
        (await AppliedAsync(Company)).ShouldBe(RecordsOf(jobs));
    }

    [Fact]
    public async Task What_applying_gives_is_what_is_found_afterwards()
    {
        await AcceptAsync(Company, 2, 1);
        await AcceptAsync(Company, 1, 1);
        var lease = await ClaimAsync();
        var chunks = (await ReadAheadAsync(lease)).Take(3).ToList();

        var jobs = await Store.ApplyAsync(lease, chunks, Effects(chunks), Cancel);

        jobs.Count.ShouldBe(2);
        foreach (var job in jobs)
            (await FindAsync(job)).ShouldBe(job);
    }
}
