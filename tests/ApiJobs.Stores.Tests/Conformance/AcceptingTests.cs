using System.Buffers;
using ApiJobs.Jobs;
using ApiJobs.Records;
using ApiJobs.Storage;

namespace ApiJobs.Stores.Tests.Conformance;

/// <summary>What a sealed job is: found as it was accepted, in its place, whatever happens to the node afterwards.</summary>
public abstract class AcceptingTests(StoreFixture stores) : StoreTests(stores)
{
    [Fact]
    public async Task A_sealed_job_is_found_as_it_was_accepted()
    {
        var chunks = ChunksOf(3, 2);
        var request = NewJob(Company, chunks, lane: "imports") with { Options = new() { KeyField = "ref" } };

        var sealedJob = await UploadAsync(Store, request, chunks);

        var job = (await Store.FindJobAsync(Company, request.Id, Cancel)).ShouldNotBeNull();
        job.ShouldBe(sealedJob);
        job.ShouldBe(new ApiJob
        {
            Id = request.Id,
            CompanyId = Company,
            Type = "sample_bulk_create",
            Lane = "imports",
            Position = 1,
            Options = new() { KeyField = "ref" },
            TotalRecords = 5,
            ChunkCount = 2,
            CreatedAt = job.CreatedAt,
            UpdatedAt = job.UpdatedAt,
        });
        job.Status.ShouldBe(ApiJobStatus.Pending);
        job.UpdatedAt.ShouldBeGreaterThanOrEqualTo(job.CreatedAt);
    }

    [Fact]
    public async Task A_job_of_one_chunk_that_asked_for_nothing_is_found_so()
    {
        var job = await FindAsync(await AcceptAsync(Company, 1));

        job.Lane.ShouldBe("");
        job.Options.ShouldBe(JobOptions.None);
        job.ChunkCount.ShouldBe(1);
        (job.MessageEntryCount, job.MessageBytes).ShouldBe((0, 0));
        (await MessageAsync(job)).ShouldBe("");
    }

    [Fact]
    public async Task Payloads_are_kept_to_the_byte()
    {
        var payload = new ArrayBufferWriter<byte>();
        ChunkPayload.Append(payload, []);
        ChunkPayload.Append(payload, [.. Enumerable.Range(0, 256).Select(value => (byte)value)]);
        ChunkPayload.Append(payload, new byte[1024 * 1024]);
        var chunk = new Chunk(0, 0, 3, payload.WrittenMemory);

        var job = await UploadAsync(Store, NewJob(Company, [chunk]), [chunk]);

        (await ResultsAsync(job)).ShouldHaveSingleItem().Chunk.Payload.Span.SequenceEqual(chunk.Payload.Span).ShouldBeTrue();
    }

    [Fact]
    public async Task Positions_are_consecutive_in_each_lane()
    {
        for (var position = 1; position <= 3; position++)
        {
            (await AcceptAsync(Company, 1)).Position.ShouldBe(position);
            (await AcceptAsync(Store, Company, "imports", 1, 1)).Position.ShouldBe(position);
            (await AcceptAsync(OtherCompany, 1)).Position.ShouldBe(position);
        }
    }

    [Fact]
    public async Task A_position_is_never_given_again()
    {
        await AcceptAsync(Company, 1);
        await DrainAsync(Store);
        await RestartAsync();

        (await AcceptAsync(Company, 1)).Position.ShouldBe(2);
    }

    [Fact]
    public async Task A_sealed_job_is_there_for_every_node_at_once()
    {
        var other = await AnotherNodeAsync();

        var job = await AcceptAsync(Company, 2, 1);

        (await other.FindJobAsync(Company, job.Id, Cancel)).ShouldBe(job);
        (await other.ReadResultsAsync(Company, job.Id, 0, 10, Cancel)).Count.ShouldBe(2);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_sealed_job_is_never_lost(bool crash)
    {
        var job = await AcceptAsync(Company, 2, 1);

        await (crash ? CrashAndRestartAsync() : RestartAsync());

        (await FindAsync(job)).ShouldBe(job);
        (await ReadAheadAsync(await ClaimAsync())).Count.ShouldBe(2);
    }

    // "The same call may be made again" after the store was unavailable, also when the first one had got through.

    [Fact]
    public async Task Sealing_again_gives_the_same_job_once()
    {
        var chunks = ChunksOf(2, 1);
        var request = NewJob(Company, chunks);
        var job = await UploadAsync(Store, request, chunks);

        (await Store.SealJobAsync(request, chunks[^1], Cancel)).ShouldBe(new SealResult.Sealed(job));

        (await AcceptAsync(Company, 1)).Position.ShouldBe(2);
        (await ReadAheadAsync(await ClaimAsync())).Count.ShouldBe(3);
    }

    [Fact]
    public async Task Appending_a_chunk_again_stores_it_once()
    {
        var chunks = ChunksOf(2, 1);
        var request = NewJob(Company, chunks);
        (await Store.AppendChunkAsync(Company, request.Id, chunks[0], Cancel)).ShouldBeTrue();

        var job = await UploadAsync(Store, request, chunks);

        (await ResultsAsync(job)).Select(result => result.Chunk.Index).ShouldBe([0, 1]);
    }
}
