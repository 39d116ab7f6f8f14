using ApiJobs.Jobs;
using ApiJobs.Storage;

namespace ApiJobs.Stores.Tests.Conformance;

/// <summary>What is read ahead is bounded in bytes too, and nothing is lost at the bound; and sealing lets a lane that was drained be claimed.</summary>
public abstract class ReadAheadBoundTests(StoreFixture stores) : StoreTests(stores)
{
    private const int Megabyte = 1 << 20, Chunks = 40, MostMegabytes = 17;

    [Theory]
    [InlineData(1)]
    [InlineData(Chunks)]
    public async Task Reading_stops_after_sixteen_megabytes_and_goes_on_with_the_chunk_after_them(int jobs)
    {
        var uploaded = new List<(Guid Job, int Index)>();
        for (var job = 0; job < jobs; job++)
            uploaded.AddRange(await UploadLargeAsync(Chunks / jobs));
        var lease = await ClaimAsync();

        var read = new List<PendingChunk>();
        var reads = 0;
        for (var ahead = await ReadAheadAsync(lease); ahead.Count > 0; ahead = await Store.ReadAheadAsync(lease, ahead[^1], int.MaxValue, Cancel))
        {
            ahead.Sum(chunk => (long)chunk.Chunk.Payload.Length).ShouldBeLessThanOrEqualTo(MostMegabytes * Megabyte);
            read.AddRange(ahead);
            reads++;
        }

        read.Select(chunk => (chunk.Job.Id, chunk.Chunk.Index)).ShouldBe(uploaded);
        reads.ShouldBeInRange(Chunks / MostMegabytes, 4);
    }

    [Fact]
    public async Task One_chunk_is_read_however_large_it_is()
    {
        var payload = new byte[20 * Megabyte];
        var job = NewJob(Company, [new(0, 0, 1, payload)]);
        await Store.SealJobAsync(job, new(0, 0, 1, payload), Cancel);
        await AcceptAsync(Company, 1);
        var lease = await ClaimAsync();

        var first = (await ReadAheadAsync(lease)).ShouldHaveSingleItem();

        first.Chunk.Payload.Length.ShouldBe(payload.Length);
        (await Store.ReadAheadAsync(lease, first, int.MaxValue, Cancel)).ShouldHaveSingleItem().IsLast.ShouldBeTrue();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_lane_that_was_drained_and_given_back_can_be_claimed_as_soon_as_a_job_is_sealed(bool ended)
    {
        var first = await AcceptAsync(Company, 1);
        var lease = await ClaimAsync();
        if (ended)
            (await Store.EndJobAsync(Company, first.Id, new JobFailure("cancelled", "The job was cancelled."), Cancel)).ShouldBe(EndResult.Ended);
        else
            await ApplyAsync(lease, await ReadAheadAsync(lease));
        await Store.ReleaseLaneAsync(lease, null, Cancel);
        (await Store.IsLaneWaitingAsync(Cancel)).ShouldBeFalse();

        var second = await AcceptAsync(Company, 1);

        (await Store.IsLaneWaitingAsync(Cancel)).ShouldBeTrue();
        (await ReadAheadAsync(await ClaimAsync())).ShouldHaveSingleItem().Job.Id.ShouldBe(second.Id);
    }

    private async Task<IEnumerable<(Guid Job, int Index)>> UploadLargeAsync(int chunks)
    {
        List<Chunk> large = [.. Enumerable.Range(0, chunks).Select(index => new Chunk(index, index, 1, new byte[Megabyte]))];
        var job = await UploadAsync(Store, NewJob(Company, large), large);
        return large.Select(chunk => (job.Id, chunk.Index));
    }
}

public sealed class SqliteReadAheadBound(SqliteStores stores) : ReadAheadBoundTests(stores);

public sealed class PostgreSqlReadAheadBound(PostgreSqlStores stores) : ReadAheadBoundTests(stores);
