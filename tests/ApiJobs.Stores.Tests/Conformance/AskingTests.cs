using ApiJobs.Records;
using ApiJobs.Storage;

namespace ApiJobs.Stores.Tests.Conformance;

/// <summary>What callers read of jobs and their results.</summary>
public abstract class AskingTests(StoreFixture stores) : StoreTests(stores)
{
    [Fact]
    public async Task The_database_answers() => await Store.PingAsync(Cancel);

    [Fact]
    public async Task An_unknown_job_is_not_found()
    {
        await AcceptAsync(Company, 1);

        (await Store.FindJobAsync(Company, Guid.CreateVersion7(), Cancel)).ShouldBeNull();
        (await Store.ReadResultsAsync(Company, Guid.CreateVersion7(), 0, 10, Cancel)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Results_come_in_order_with_their_payload()
    {
        var chunks = ChunksOf(2, 1, 3);
        var job = await UploadAsync(Store, NewJob(Company, chunks), chunks);

        var results = await ResultsAsync(job);

        results.Select(result => (result.Chunk.Index, result.Chunk.FirstRecord, result.Chunk.RecordCount))
            .ShouldBe([(0, 0, 2), (1, 2, 1), (2, 3, 3)]);
        results.Select(result => Convert.ToHexString(result.Chunk.Payload.Span)).ShouldBe(chunks.Select(chunk => Convert.ToHexString(chunk.Payload.Span)));
        results.ShouldAllBe(result => result.Outcomes.IsEmpty && result.Errors.IsEmpty);
    }

    [Fact]
    public async Task Results_tell_applied_chunks_from_waiting_ones()
    {
        var job = await AcceptAsync(Company, 2, 1, 3);
        var lease = await ClaimAsync();
        (await ApplyAsync(lease, (await ReadAheadAsync(lease)).Take(2).ToList())).ShouldBeTrue();

        (await ResultsAsync(job)).Select(result => result.Outcomes.Length).ShouldBe([2, 1, 0]);
    }

    [Theory]
    [InlineData(0, 2, new[] { 0, 1 })]
    [InlineData(3, 10, new[] { 3, 4 })]
    [InlineData(2, 1, new[] { 2 })]
    [InlineData(5, 10, new int[0])]
    [InlineData(99, 10, new int[0])]
    public async Task Results_are_read_from_a_chunk_on_and_no_more_than_asked_for(int fromChunk, int maxChunks, int[] expected)
    {
        var job = await AcceptAsync(Company, 1, 1, 1, 1, 1);
        await AcceptAsync(Company, 1, 1);

        var results = await Store.ReadResultsAsync(Company, job.Id, fromChunk, maxChunks, Cancel);

        results.Select(result => result.Chunk.Index).ShouldBe(expected);
    }

    [Fact]
    public async Task A_reader_only_ever_sees_whole_chunks()
    {
        var job = await AcceptAsync(Company, [.. Enumerable.Repeat(7, 40)]);
        var working = DrainAsync(await AnotherNodeAsync());

        var before = job;
        do
        {
            var now = await FindAsync(job);
            now.Counts.Processed.ShouldBe(7L * now.NextChunk);
            now.HasEnded.ShouldBe(now.NextChunk == now.ChunkCount);
            now.NextChunk.ShouldBeGreaterThanOrEqualTo(before.NextChunk);
            now.UpdatedAt.ShouldBeGreaterThanOrEqualTo(before.UpdatedAt);
            (await ResultsAsync(job)).Count(result => !result.Outcomes.IsEmpty).ShouldBeGreaterThanOrEqualTo(now.NextChunk);
            before = now;
        }
        while (!before.HasEnded && !working.IsFaulted);

        await working;
    }

    [Fact]
    public async Task Errors_are_kept_to_the_byte()
    {
        var job = await AcceptAsync(Company, 2);
        var lease = await ClaimAsync();
        var errors = ChunkErrors.Write([new(1, "ключ \U0001F511", [new(RecordErrorCodes.NotFound, "Kein \"Fall\" ☂", "/id")])]);

        await ApplyAsync(lease, await ReadAheadAsync(lease), new ChunkOutcome(new byte[] { 1, 4 }, errors, "", 0));

        var result = (await ResultsAsync(job)).ShouldHaveSingleItem();
        result.Outcomes.ToArray().ShouldBe([1, 4]);
        result.Errors.Span.SequenceEqual(errors.Span).ShouldBeTrue();
    }
}
