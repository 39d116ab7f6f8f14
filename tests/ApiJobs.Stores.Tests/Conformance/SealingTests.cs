using ApiJobs.Records;
using ApiJobs.Storage;
using ApiJobs.Stores.Tests.Broken;

namespace ApiJobs.Stores.Tests.Conformance;

/// <summary>One request makes one job, however often it is sent; and no job is made that lacks a record.</summary>
public abstract class SealingTests(StoreFixture stores) : StoreTests(stores)
{
    private static readonly byte[] Print = [1, 2, 3, 0, 255];

    [Fact]
    public async Task A_key_that_was_used_names_its_job_and_what_it_was_sealed_with()
    {
        var chunks = ChunksOf(1);
        var first = await UploadAsync(Store, WithKey(Company, chunks), chunks);
        var before = await Database.CountRowsAsync();

        var taken = (await Store.SealJobAsync(WithKey(Company, chunks) with { Fingerprint = new byte[] { 9 } }, chunks[0], Cancel))
            .ShouldBeOfType<SealResult.KeyTaken>();

        taken.JobId.ShouldBe(first.Id);
        taken.Fingerprint.ToArray().ShouldBe(Print);
        (await Database.CountRowsAsync()).ShouldBe(before, ignoreOrder: true);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_key_stays_taken_when_its_job_has_ended_and_the_node_has_gone(bool crash)
    {
        var chunks = ChunksOf(1);
        var first = await UploadAsync(Store, WithKey(Company, chunks), chunks);
        await DrainAsync(Store);
        await (crash ? CrashAndRestartAsync() : RestartAsync());

        (await Store.SealJobAsync(WithKey(Company, chunks), chunks[0], Cancel)).ShouldBeOfType<SealResult.KeyTaken>().JobId.ShouldBe(first.Id);
    }

    [Fact]
    public async Task What_was_uploaded_under_a_taken_key_is_there_to_be_abandoned()
    {
        var chunks = ChunksOf(1, 1);
        await UploadAsync(Store, WithKey(Company, chunks), chunks);
        var before = await Database.CountRowsAsync();
        var again = WithKey(Company, chunks);
        (await Store.AppendChunkAsync(Company, again.Id, chunks[0], Cancel)).ShouldBeTrue();

        (await Store.SealJobAsync(again, chunks[1], Cancel)).ShouldBeOfType<SealResult.KeyTaken>();

        (await Store.FindJobAsync(Company, again.Id, Cancel)).ShouldBeNull();
        (await Database.CountRowsAsync()).Values.Sum().ShouldBeGreaterThan(before.Values.Sum());
        await Store.AbandonUploadAsync(Company, again.Id, Cancel);
        (await Database.CountRowsAsync()).ShouldBe(before, ignoreOrder: true);
    }

    [Fact]
    public async Task Sealed_again_under_its_own_key_a_job_is_the_same()
    {
        var chunks = ChunksOf(2, 1);
        var request = WithKey(Company, chunks);
        var job = await UploadAsync(Store, request, chunks);

        (await Store.SealJobAsync(request, chunks[1], Cancel)).ShouldBeSealed().ShouldBe(job);

        (await AcceptAsync(Company, 1)).Position.ShouldBe(2);
    }

    [Fact]
    public async Task The_same_key_is_free_for_another_client_and_for_another_company()
    {
        var chunks = ChunksOf(1);
        NewJob[] requests =
        [
            WithKey(Company, chunks), WithKey(Company, chunks, client: "another"), WithKey(Company, chunks, client: null),
            WithKey(OtherCompany, chunks), WithKey(Company, chunks, key: "Key"),
        ];

        foreach (var request in requests)
            (await Store.SealJobAsync(request, chunks[0], Cancel)).ShouldBeSealed().Id.ShouldBe(request.Id);
        foreach (var request in requests)
            (await Store.SealJobAsync(request with { Id = Guid.CreateVersion7() }, chunks[0], Cancel)).ShouldBeOfType<SealResult.KeyTaken>().JobId.ShouldBe(request.Id);
    }

    [Fact]
    public async Task Fifty_requests_at_once_under_one_key_make_one_job()
    {
        var chunks = ChunksOf(1);
        IWholeStore[] nodes = [Store, await AnotherNodeAsync()];

        var results = await Task.WhenAll(Enumerable.Range(0, 50).Select(
            number => Task.Run(() => nodes[number % 2].SealJobAsync(WithKey(Company, chunks), chunks[0], Cancel), Cancel)));

        var job = results.OfType<SealResult.Sealed>().ShouldHaveSingleItem().Job;
        results.OfType<SealResult.KeyTaken>().Select(taken => taken.JobId).ShouldBe(Enumerable.Repeat(job.Id, 49));
        (await ReadAheadAsync(await ClaimAsync())).ShouldHaveSingleItem().Job.Id.ShouldBe(job.Id);
        (await AcceptAsync(Company, 1)).Position.ShouldBe(2);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    public async Task A_job_with_another_number_of_records_than_its_chunks_hold_is_refused_and_the_upload_stays(int total)
    {
        var chunks = ChunksOf(2, 1);
        var request = NewJob(Company, chunks);
        await Store.AppendChunkAsync(Company, request.Id, chunks[0], Cancel);
        var before = await Database.CountRowsAsync();

        await Should.ThrowAsync<InvalidOperationException>(Store.SealJobAsync(request with { TotalRecords = total }, chunks[1], Cancel));

        await ExpectIntactAsync(request, chunks, before);
    }

    [Fact]
    public async Task A_job_of_one_chunk_with_another_number_of_records_is_refused()
    {
        var chunks = ChunksOf(2);
        var before = await Database.CountRowsAsync();

        await Should.ThrowAsync<InvalidOperationException>(Store.SealJobAsync(NewJob(Company, chunks) with { TotalRecords = 3 }, chunks[0], Cancel));

        (await Database.CountRowsAsync()).ShouldBe(before, ignoreOrder: true);
        (await AcceptAsync(Company, 1)).Position.ShouldBe(1);
    }

    // Index and first record of what comes after a chunk of two records.
    [Theory]
    [InlineData(2, 2)]
    [InlineData(1, 3)]
    [InlineData(1, 1)]
    public async Task A_chunk_that_is_not_the_next_is_refused_and_the_upload_stays(int index, int firstRecord)
    {
        var chunks = ChunksOf(2, 1);
        var request = NewJob(Company, chunks);
        await Store.AppendChunkAsync(Company, request.Id, chunks[0], Cancel);
        var before = await Database.CountRowsAsync();
        var wrong = chunks[1] with { Index = index, FirstRecord = firstRecord };

        await Should.ThrowAsync<InvalidOperationException>(Store.AppendChunkAsync(Company, request.Id, wrong, Cancel));
        await Should.ThrowAsync<InvalidOperationException>(Store.SealJobAsync(request, wrong, Cancel));

        await ExpectIntactAsync(request, chunks, before);
    }

    [Fact]
    public async Task A_request_that_is_refused_leaves_its_key_free()
    {
        var chunks = ChunksOf(1);
        await Should.ThrowAsync<InvalidOperationException>(Store.SealJobAsync(WithKey(Company, chunks) with { TotalRecords = 2 }, chunks[0], Cancel));

        (await Store.SealJobAsync(WithKey(Company, chunks), chunks[0], Cancel)).ShouldBeSealed();
    }

    private async Task ExpectIntactAsync(NewJob request, IReadOnlyList<Chunk> chunks, IReadOnlyDictionary<string, long> before)
    {
        (await Database.CountRowsAsync()).ShouldBe(before, ignoreOrder: true);
        (await Store.FindJobAsync(Company, request.Id, Cancel)).ShouldBeNull();
        var job = (await Store.SealJobAsync(request, chunks[^1], Cancel)).ShouldBeSealed();
        (await ResultsAsync(job)).Select(result => ChunkPayload.Split(result.Chunk.Payload).Count()).ShouldBe(chunks.Select(chunk => chunk.RecordCount));
    }

    private static NewJob WithKey(Guid company, IReadOnlyList<Chunk> chunks, string? client = "client", string key = "key") =>
        NewJob(company, chunks) with { Origin = new() { ClientId = client, IdempotencyKey = key }, Fingerprint = Print };
}
