using ApiJobs.Storage;

namespace ApiJobs.Stores.Tests.Conformance;

/// <summary>What a worker is given to apply next.</summary>
public abstract class ReadAheadTests(StoreFixture stores) : StoreTests(stores)
{
    [Fact]
    public async Task A_lane_is_read_over_the_ends_of_its_jobs_in_their_order()
    {
        var first = await AcceptAsync(Company, 2, 1);
        await AcceptAsync(Store, Company, "imports", 1);
        await AcceptAsync(OtherCompany, 1);
        var second = await AcceptAsync(Company, 3);

        var chunks = await ReadAheadAsync(await ClaimMainLaneAsync());

        chunks.Select(chunk => (chunk.Job.Id, chunk.Chunk.Index, chunk.Chunk.FirstRecord, chunk.Chunk.RecordCount, chunk.IsLast)).ShouldBe(
        [
            (first.Id, 0, 0, 2, false),
            (first.Id, 1, 2, 1, true),
            (second.Id, 0, 0, 3, true),
        ]);
    }

    [Fact]
    public async Task A_pending_chunk_carries_its_job_and_its_payload()
    {
        var chunks = ChunksOf(2);
        var job = await UploadAsync(Store, NewJob(Company, chunks) with { Options = new() { KeyField = "ref" } }, chunks);

        var pending = (await ReadAheadAsync(await ClaimAsync())).ShouldHaveSingleItem();

        pending.Job.ShouldBe(job);
        pending.Chunk.Payload.Span.SequenceEqual(chunks[0].Payload.Span).ShouldBeTrue();
    }

    [Fact]
    public async Task Reading_begins_at_the_cursor_of_the_first_unfinished_job()
    {
        await AcceptAsync(Company, 1);
        var second = await AcceptAsync(Company, 1, 1, 1);
        var lease = await ClaimAsync();
        await ApplyAsync(lease, (await ReadAheadAsync(lease)).Take(2).ToList());

        (await ReadAheadAsync(lease)).Select(chunk => (chunk.Job.Id, chunk.Chunk.Index)).ShouldBe([(second.Id, 1), (second.Id, 2)]);
    }

    [Theory]
    [InlineData(0, 3)]
    [InlineData(1, 2)]
    [InlineData(2, 1)]
    [InlineData(3, 0)]
    public async Task Reading_goes_on_after_a_chunk_that_is_not_applied_yet(int afterChunk, int expected)
    {
        await AcceptAsync(Company, 1, 1);
        await AcceptAsync(Company, 1);
        await AcceptAsync(Company, 1);
        var lease = await ClaimAsync();
        var all = await ReadAheadAsync(lease);

        var rest = await Store.ReadAheadAsync(lease, all[afterChunk], int.MaxValue, Cancel);

        rest.Count.ShouldBe(expected);
        rest.Select(Place).ShouldBe(all.Skip(afterChunk + 1).Select(Place));
    }

    [Fact]
    public async Task Reading_goes_on_after_a_chunk_whose_job_has_ended()
    {
        await AcceptAsync(Company, 1);
        var lease = await ClaimAsync();
        var first = (await ReadAheadAsync(lease)).ShouldHaveSingleItem();
        await ApplyAsync(lease, first);
        (await Store.ReadAheadAsync(lease, first, 10, Cancel)).ShouldBeEmpty();

        var second = await AcceptAsync(Company, 1);

        (await Store.ReadAheadAsync(lease, first, 10, Cancel)).ShouldHaveSingleItem().Job.Id.ShouldBe(second.Id);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(5, 1)]
    [InlineData(6, 1)]
    [InlineData(7, 2)]
    [InlineData(9, 2)]
    [InlineData(10, 3)]
    [InlineData(1000, 4)]
    public async Task Reading_stops_before_a_chunk_that_would_be_too_much_but_always_gives_one(int maxRecords, int expected)
    {
        await AcceptAsync(Company, 5, 2, 3);
        await AcceptAsync(Company, 1);

        // The fourth chunk would fit after the first where the second does not; order comes before fullness.
        var chunks = await ReadAheadAsync(await ClaimAsync(), maxRecords);

        chunks.Count.ShouldBe(expected);
    }

    [Fact]
    public async Task A_limit_also_holds_for_reading_on()
    {
        await AcceptAsync(Company, 1, 4, 1, 1);
        var lease = await ClaimAsync();
        var first = (await ReadAheadAsync(lease, 1)).ShouldHaveSingleItem();

        var next = (await Store.ReadAheadAsync(lease, first, 2, Cancel)).ShouldHaveSingleItem();
        var rest = await Store.ReadAheadAsync(lease, next, 2, Cancel);

        next.Chunk.Index.ShouldBe(1);
        rest.Select(chunk => chunk.Chunk.Index).ShouldBe([2, 3]);
    }

    [Fact]
    public async Task A_drained_lane_has_nothing_to_read()
    {
        await AcceptAsync(Company, 1);
        var lease = await ClaimAsync();
        await ApplyAsync(lease, await ReadAheadAsync(lease));

        (await ReadAheadAsync(lease)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_long_lane_is_read_to_its_end_in_steps()
    {
        var jobs = new List<Guid>();
        for (var job = 0; job < 120; job++)
            jobs.Add((await AcceptAsync(Company, 1)).Id);
        var lease = await ClaimAsync();

        var read = new List<Guid>();
        IReadOnlyList<PendingChunk> chunks = await ReadAheadAsync(lease, 50);
        for (; chunks.Count > 0; chunks = await Store.ReadAheadAsync(lease, chunks[^1], 50, Cancel))
            read.AddRange(chunks.Select(chunk => chunk.Job.Id));

        read.ShouldBe(jobs);
    }

    private async Task<LaneLease> ClaimMainLaneAsync()
    {
        var lease = await ClaimAsync();
        while (lease is not { Lane: "" } || lease.CompanyId != Company)
            lease = await ClaimAsync();
        return lease;
    }

    private static (Guid, int) Place(PendingChunk chunk) => (chunk.Job.Id, chunk.Chunk.Index);
}
