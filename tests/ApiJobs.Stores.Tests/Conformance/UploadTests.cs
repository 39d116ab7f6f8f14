using ApiJobs.Storage;

namespace ApiJobs.Stores.Tests.Conformance;

/// <summary>What an upload is until it is sealed: nowhere to be seen, and gone without a trace when it is given up.</summary>
public abstract class UploadTests(StoreFixture stores) : StoreTests(stores)
{
    private static readonly TimeSpan IdleFor = TimeSpan.FromHours(1);

    [Fact]
    public async Task An_unsealed_upload_is_invisible_to_every_read()
    {
        var (request, _) = await BeginAsync(Company, 2, 2, 1);

        (await Store.FindJobAsync(Company, request.Id, Cancel)).ShouldBeNull();
        (await Store.ReadResultsAsync(Company, request.Id, 0, 10, Cancel)).ShouldBeEmpty();
        (await Store.ClaimLaneAsync(NodeName, LeaseTime, Cancel)).ShouldBeNull();

        var job = await AcceptAsync(Company, 1);
        job.Position.ShouldBe(1);
        (await ReadAheadAsync(await ClaimAsync())).ShouldHaveSingleItem().Job.Id.ShouldBe(job.Id);
    }

    [Fact]
    public async Task A_sealed_upload_has_all_its_chunks_in_order()
    {
        var chunks = ChunksOf(3, 1, 4, 1, 5);
        var job = await UploadAsync(Store, NewJob(Company, chunks), chunks);

        job.ChunkCount.ShouldBe(5);
        (await ResultsAsync(job)).Select(result => Bytes(result.Chunk)).ShouldBe(chunks.Select(Bytes));
    }

    [Fact]
    public async Task Uploads_at_the_same_time_do_not_mix()
    {
        var (first, firstChunks) = await BeginAsync(Company, 1, 1, 1);
        var (second, secondChunks) = await BeginAsync(Company, 1, 1, 1);

        var earlier = (await Store.SealJobAsync(second, secondChunks[^1], Cancel)).ShouldBeSealed();
        var later = (await Store.SealJobAsync(first, firstChunks[^1], Cancel)).ShouldBeSealed();

        (earlier.Position, later.Position).ShouldBe((1, 2));
        (await ResultsAsync(earlier)).Select(result => Bytes(result.Chunk)).ShouldBe(secondChunks.Select(Bytes));
        (await ResultsAsync(later)).Select(result => Bytes(result.Chunk)).ShouldBe(firstChunks.Select(Bytes));
    }

    [Fact]
    public async Task An_abandoned_upload_leaves_nothing()
    {
        var before = await Database.CountRowsAsync();
        var (request, _) = await BeginAsync(Company, 2, 2, 1);

        await Store.AbandonUploadAsync(Company, request.Id, Cancel);

        (await Database.CountRowsAsync()).ShouldBe(before, ignoreOrder: true);
    }

    [Fact]
    public async Task Abandoning_a_sealed_job_does_nothing()
    {
        var job = await AcceptAsync(Company, 2, 1);

        await Store.AbandonUploadAsync(Company, job.Id, Cancel);

        (await FindAsync(job)).ShouldBe(job);
        (await ResultsAsync(job)).Count.ShouldBe(2);
    }

    [Fact]
    public async Task Abandoning_an_unknown_upload_does_nothing()
    {
        await Store.AbandonUploadAsync(Company, Guid.CreateVersion7(), Cancel);
    }

    [Fact]
    public async Task An_idle_upload_is_swept_and_leaves_nothing()
    {
        var before = await Database.CountRowsAsync();
        await BeginAsync(Company, 2, 2, 1);
        await BeginAsync(OtherCompany, 1, 1);
        await Database.PassTimeAsync(IdleFor + TimeSpan.FromSeconds(1));

        (await Store.SweepUploadsAsync(IdleFor, Cancel)).ShouldBe(2);

        (await Database.CountRowsAsync()).ShouldBe(before, ignoreOrder: true);
        (await Store.SweepUploadsAsync(IdleFor, Cancel)).ShouldBe(0);
    }

    [Fact]
    public async Task An_upload_that_still_grows_is_not_swept()
    {
        var chunks = ChunksOf(1, 1, 1);
        var request = NewJob(Company, chunks);
        foreach (var chunk in chunks.SkipLast(1))
        {
            (await Store.AppendChunkAsync(Company, request.Id, chunk, Cancel)).ShouldBeTrue();
            await Database.PassTimeAsync(0.7 * IdleFor);
            (await Store.SweepUploadsAsync(IdleFor, Cancel)).ShouldBe(0);
        }

        (await Store.SealJobAsync(request, chunks[^1], Cancel)).ShouldBeSealed();
    }

    [Fact]
    public async Task Sealed_jobs_are_never_swept()
    {
        var waiting = await AcceptAsync(Company, 2, 1);
        await Database.PassTimeAsync(TimeSpan.FromDays(30));

        (await Store.SweepUploadsAsync(IdleFor, Cancel)).ShouldBe(0);

        (await ResultsAsync(waiting)).Count.ShouldBe(2);
    }

    [Fact]
    public async Task An_upload_is_swept_after_its_node_died()
    {
        await BeginAsync(Company, 1, 1);
        await CrashAndRestartAsync();
        await Database.PassTimeAsync(IdleFor + TimeSpan.FromSeconds(1));

        (await Store.SweepUploadsAsync(IdleFor, Cancel)).ShouldBe(1);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Nothing_can_be_appended_to_an_upload_that_is_gone(bool swept)
    {
        var before = await Database.CountRowsAsync();
        var (request, chunks) = await BeginAsync(Company, 1, 1, 1);
        await LoseAsync(request, swept);

        (await Store.AppendChunkAsync(Company, request.Id, chunks[1], Cancel)).ShouldBeFalse();

        (await Database.CountRowsAsync()).ShouldBe(before, ignoreOrder: true);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_upload_that_is_gone_cannot_be_sealed(bool swept)
    {
        await AcceptAsync(Company, 1);
        var before = await Database.CountRowsAsync();
        var (request, chunks) = await BeginAsync(Company, 1, 1, 1);
        await LoseAsync(request, swept);

        (await Store.SealJobAsync(request, chunks[^1], Cancel)).ShouldBeSwept();

        (await Database.CountRowsAsync()).ShouldBe(before, ignoreOrder: true);
        (await Store.FindJobAsync(Company, request.Id, Cancel)).ShouldBeNull();
        (await AcceptAsync(Company, 1)).Position.ShouldBe(2);
    }

    private async Task LoseAsync(NewJob request, bool swept)
    {
        if (!swept)
        {
            await Store.AbandonUploadAsync(Company, request.Id, Cancel);
            return;
        }

        await Database.PassTimeAsync(IdleFor + TimeSpan.FromSeconds(1));
        (await Store.SweepUploadsAsync(IdleFor, Cancel)).ShouldBe(1);
    }

    /// <summary>Appends every chunk but the last.</summary>
    private async Task<(NewJob Request, IReadOnlyList<Chunk> Chunks)> BeginAsync(Guid company, params int[] recordCounts)
    {
        var chunks = ChunksOf(recordCounts);
        var request = NewJob(company, chunks);
        foreach (var chunk in chunks.SkipLast(1))
            (await Store.AppendChunkAsync(company, request.Id, chunk, Cancel)).ShouldBeTrue();
        return (request, chunks);
    }

    private static (int, long, int, string) Bytes(Chunk chunk) =>
        (chunk.Index, chunk.FirstRecord, chunk.RecordCount, Convert.ToHexString(chunk.Payload.Span));
}
