using System.Globalization;
using ApiJobs.Storage;

namespace ApiJobs.Stores.Tests.Conformance;

/// <summary>A job's message is read apart from the job, as it was when the job was read.</summary>
public abstract class MessageApartTests(StoreFixture stores) : StoreTests(stores)
{
    [Theory]
    [InlineData(0, "")]
    [InlineData(1, "0\n")]
    [InlineData(2, "0\n")]
    [InlineData(3, "0\n2\n")]
    [InlineData(12, "0\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n")]
    [InlineData(int.MaxValue, "0\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n")]
    public async Task The_entries_of_the_chunks_before_one_are_read_in_input_order(int beforeChunk, string expected)
    {
        var job = await AcceptAsync(Company, [.. Enumerable.Repeat(1, 12)]);
        var lease = await ClaimAsync();
        var chunks = await ReadAheadAsync(lease);
        await ApplyAsync(lease, chunks, [.. chunks.Select((_, index) => Says(index == 1 ? "" : index.ToString(CultureInfo.InvariantCulture) + "\n"))]);

        (await Store.ReadMessageAsync(Company, job.Id, beforeChunk, Cancel)).ShouldBe(expected);
    }

    [Fact]
    public async Task However_far_the_job_is_by_now_the_message_is_of_the_moment_at_which_it_was_read()
    {
        var job = await AcceptAsync(Company, 1, 1);
        var lease = await ClaimAsync();
        var chunks = await ReadAheadAsync(lease);
        await ApplyAsync(lease, [chunks[0]], Says("first\n"));
        var read = await FindAsync(job);
        await ApplyAsync(lease, [chunks[1]], Says("second\n"));

        (await Store.ReadMessageAsync(Company, job.Id, read.NextChunk, Cancel)).ShouldBe("first\n");
        read.MessageEntryCount.ShouldBe(1);
        read.MessageBytes.ShouldBe(6);
    }

    [Fact]
    public async Task A_job_without_entries_and_one_that_does_not_exist_have_an_empty_message()
    {
        var job = await AcceptAsync(Company, 1);
        await DrainAsync(Store);

        (await MessageAsync(job)).ShouldBe("");
        (await Store.ReadMessageAsync(Company, Guid.CreateVersion7(), int.MaxValue, Cancel)).ShouldBe("");
    }

    [Fact]
    public async Task Another_companys_message_is_not_read()
    {
        var job = await AcceptAsync(Company, 1);
        var lease = await ClaimAsync();
        await ApplyAsync(lease, await ReadAheadAsync(lease), Says("secret"));

        (await Store.ReadMessageAsync(OtherCompany, job.Id, int.MaxValue, Cancel)).ShouldBe("");
    }

    [Fact]
    public async Task Entries_of_effects_that_were_undone_are_never_read()
    {
        var job = await AcceptAsync(Company, 1);
        var lease = await ClaimAsync();
        var chunks = await ReadAheadAsync(lease);
        await Should.ThrowAsync<InvalidOperationException>(
            Store.ApplyAsync(lease, chunks, (_, _) => throw new InvalidOperationException("Crashed."), Cancel));

        await ApplyAsync(lease, chunks, Says("said once"));

        await ExpectMessageAsync(job, "said once", 1);
    }

    private static ChunkOutcome Says(string text) => new(new byte[] { 4 }, default, text, text.Length == 0 ? 0 : 1);
}
