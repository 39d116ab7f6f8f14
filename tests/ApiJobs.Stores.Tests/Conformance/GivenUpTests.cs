using ApiJobs.Jobs;
using ApiJobs.Records;
using ApiJobs.Storage;

namespace ApiJobs.Stores.Tests.Conformance;

/// <summary>A chunk may end its job (<see cref="ChunkOutcome.Failure"/>): in its own transaction, whatever comes after it.</summary>
public abstract class GivenUpTests(StoreFixture stores) : StoreTests(stores)
{
    private static readonly JobFailure TooMany = new("too_many_failures", "2 records failed.");

    [Fact]
    public async Task A_chunk_that_ends_its_job_leaves_the_rest_unprocessed_and_the_lane_to_the_next()
    {
        var (job, next) = (await AcceptAsync(Company, 2, 3, 1), await AcceptAsync(Company, 1));
        var lease = await ClaimAsync();
        var chunks = await ReadAheadAsync(lease);

        var told = await Store.ApplyAsync(lease, [.. chunks.Take(2)], Outcomes(AllCreated(chunks[0]), Failing(chunks[1])), Cancel);

        var ended = await FindAsync(job);
        told.ShouldHaveSingleItem().ShouldBe(ended);
        (ended.Status, ended.Failure, ended.NextChunk).ShouldBe((ApiJobStatus.Failed, TooMany, 2));
        (ended.Counts, ended.Unprocessed).ShouldBe((new OutcomeCounts(2, 0, 0, 3), 1));
        (await ResultsAsync(job)).Select(result => result.Outcomes.Length).ShouldBe([2, 3, 0]);
        (await ApplyAsync(lease, chunks[2])).ShouldBeFalse();
        (await ReadAheadAsync(lease)).ShouldHaveSingleItem().Job.Id.ShouldBe(next.Id);
        (await ApplyAsync(lease, await ReadAheadAsync(lease))).ShouldBeTrue();
        (await FindAsync(job)).ShouldBe(ended);
    }

    [Fact]
    public async Task It_may_be_the_last_one()
    {
        var job = await AcceptAsync(Company, 2);
        var lease = await ClaimAsync();
        var chunks = await ReadAheadAsync(lease);

        await ApplyAsync(lease, chunks, Failing(chunks[0]));

        var ended = await FindAsync(job);
        (ended.Status, ended.Failure, ended.NextChunk, ended.Unprocessed).ShouldBe((ApiJobStatus.Failed, TooMany, 1, 0));
    }

    [Fact]
    public async Task The_job_behind_may_be_applied_in_the_same_transaction()
    {
        var (job, next) = (await AcceptAsync(Company, 2), await AcceptAsync(Company, 1, 1));
        var lease = await ClaimAsync();
        var chunks = await ReadAheadAsync(lease);

        await ApplyAsync(lease, chunks.Take(2).ToList(), Failing(chunks[0]), AllCreated(chunks[1]));

        (await FindAsync(job)).Status.ShouldBe(ApiJobStatus.Failed);
        (await FindAsync(next)).ShouldSatisfyAllConditions(after => after.NextChunk.ShouldBe(1), after => after.Failure.ShouldBeNull());
        (await ReadAheadAsync(lease)).ShouldHaveSingleItem().Chunk.Index.ShouldBe(1);
    }

    [Fact]
    public async Task What_would_apply_chunks_behind_the_end_is_refused()
    {
        var job = await AcceptAsync(Company, 2, 1);
        var lease = await ClaimAsync();
        var chunks = await ReadAheadAsync(lease);

        await Should.ThrowAsync<InvalidOperationException>(ApplyAsync(lease, chunks, Failing(chunks[0]), AllCreated(chunks[1])));

        (await FindAsync(job)).ShouldBe(job);
    }

    [Theory]
    [InlineData(0L)]
    [InlineData(7L)]
    [InlineData(null)]
    public async Task How_many_may_fail_is_kept_with_the_job(long? maxFailed)
    {
        var chunks = ChunksOf(2, 1);

        var job = await UploadAsync(Store, NewJob(Company, chunks) with { MaxFailed = maxFailed }, chunks);

        job.MaxFailed.ShouldBe(maxFailed);
        (await FindAsync(job)).ShouldBe(job);
        (await ReadAheadAsync(await ClaimAsync())).ShouldAllBe(pending => pending.Job.MaxFailed == maxFailed);
    }

    private static ApplyChunks Outcomes(params IReadOnlyList<ChunkOutcome> outcomes) => (_, _) => Task.FromResult(outcomes);

    private static ChunkOutcome Failing(PendingChunk pending)
    {
        var outcomes = new byte[pending.Chunk.RecordCount];
        Array.Fill(outcomes, (byte)RecordOutcome.Failed);
        return new(outcomes, default, "", 0) { Failure = TooMany };
    }
}
