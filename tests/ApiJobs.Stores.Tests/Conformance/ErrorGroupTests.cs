using ApiJobs.Records;
using ApiJobs.Storage;

namespace ApiJobs.Stores.Tests.Conformance;

/// <summary>The kinds of errors that a job's records have are counted with the outcomes, and bounded.</summary>
public abstract class ErrorGroupTests(StoreFixture stores) : StoreTests(stores)
{
    [Fact]
    public async Task Kinds_are_counted_on_over_chunks_and_keep_their_first_record()
    {
        var job = await AcceptAsync(Company, 3, 2, 2);
        var lease = await ClaimAsync();
        var chunks = await ReadAheadAsync(lease);

        await ApplyAsync(lease, [chunks[0]], Failed(3, new("b", "/x", 1, 2, "first b"), new("a", "/x", 2, 0, "first a")));
        (await GroupsAsync(job.Id)).ShouldBe([new("a", "/x", 2, 0, "first a"), new("b", "/x", 1, 2, "first b")]);

        await ApplyAsync(lease, [chunks[1], chunks[2]],
            Failed(2, new("b", "/x", 1, 3, "later"), new("b", "", 1, 4, "whole")), Failed(2, new("b", "/x", 1, 5, "still later"), new("c", "/\U0001F600", 1, 6, "c")));
        (await GroupsAsync(job.Id)).ShouldBe(
            [new("b", "/x", 3, 2, "first b"), new("a", "/x", 2, 0, "first a"), new("b", "", 1, 4, "whole"), new("c", "/\U0001F600", 1, 6, "c")]);
    }

    [Fact]
    public async Task Jobs_of_one_transaction_are_counted_apart()
    {
        var (first, second) = (await AcceptAsync(Company, 1, 1), await AcceptAsync(Company, 1));
        var lease = await ClaimAsync();
        var chunks = await ReadAheadAsync(lease);

        await ApplyAsync(lease, chunks, Failed(1, new ErrorGroup("a", "", 1, 0, "one")), Failed(1, new ErrorGroup("a", "", 1, 1, "two")), Failed(1, new ErrorGroup("a", "", 1, 0, "three")));

        (await GroupsAsync(first.Id)).ShouldBe([new("a", "", 2, 0, "one")]);
        (await GroupsAsync(second.Id)).ShouldBe([new("a", "", 1, 0, "three")]);
    }

    [Fact]
    public async Task No_more_than_a_hundred_kinds_are_kept_and_every_record_is_counted()
    {
        var job = await AcceptAsync(Company, 1, 1, 1);
        var lease = await ClaimAsync();
        var chunks = await ReadAheadAsync(lease);
        await ApplyAsync(lease, [chunks[0]], Failed(1, Kinds(0, 98, 0)));
        (await GroupsAsync(job.Id)).Count.ShouldBe(98);

        // One more fits; the known ones are counted on wherever they stand; the rest goes together.
        await ApplyAsync(lease, [chunks[1]], Failed(1, Kinds(98, 5, 1).Concat(Kinds(0, 98, 1)).ToArray()));
        await ApplyAsync(lease, [chunks[2]], Failed(1, Kinds(90, 20, 2)));

        var groups = await GroupsAsync(job.Id);
        groups.Count.ShouldBe(ErrorGroup.MaxPerJob);
        groups.Single(group => group.Code == ErrorGroup.OtherCode).ShouldBe(new(ErrorGroup.OtherCode, "", 4 + 11, 1, ErrorGroup.OtherMessage));
        groups.Sum(group => group.Count).ShouldBe(98 + 5 + 98 + 20);
        groups.Single(group => group.Code == "k098").ShouldBe(new("k098", "/k", 2, 1, "of 1"));
        groups.Single(group => group.Code == "k097").Count.ShouldBe(3);
    }

    [Fact]
    public async Task More_kinds_than_are_kept_may_come_in_one_transaction()
    {
        var job = await AcceptAsync(Company, 1, 1);
        var lease = await ClaimAsync();

        await ApplyAsync(lease, await ReadAheadAsync(lease), Failed(1, Kinds(0, 1_000, 0)), Failed(1, Kinds(500, 1_000, 1)));

        var groups = await GroupsAsync(job.Id);
        groups.Count.ShouldBe(ErrorGroup.MaxPerJob);
        groups[0].ShouldBe(new(ErrorGroup.OtherCode, "", 2_000 - 99, 0, ErrorGroup.OtherMessage));
        groups.Skip(1).Select(group => group.Code).ShouldBe(Kinds(0, 99, 0).Select(group => group.Code));
    }

    [Fact]
    public async Task What_is_rolled_back_is_not_counted()
    {
        var job = await AcceptAsync(Company, 1);
        var lease = await ClaimAsync();
        var chunks = await ReadAheadAsync(lease);
        await ApplyAsync(lease, chunks, Failed(1, new ErrorGroup("a", "", 1, 0, "one")));

        (await ApplyAsync(lease, chunks, Failed(1, new ErrorGroup("a", "", 1, 0, "one")))).ShouldBeFalse();

        (await GroupsAsync(job.Id)).ShouldHaveSingleItem().Count.ShouldBe(1);
    }

    [Fact]
    public async Task Another_companys_kinds_are_not_told()
    {
        var job = await AcceptAsync(Company, 1);
        var lease = await ClaimAsync();
        await ApplyAsync(lease, await ReadAheadAsync(lease), Failed(1, new ErrorGroup("a", "", 1, 0, "one")));

        (await Store.ReadErrorsAsync(OtherCompany, job.Id, Cancel)).ShouldBeEmpty();
        (await Store.ReadErrorsAsync(Company, Guid.CreateVersion7(), Cancel)).ShouldBeEmpty();
    }

    private Task<IReadOnlyList<ErrorGroup>> GroupsAsync(Guid job) => Store.ReadErrorsAsync(Company, job, Cancel);

    private static ErrorGroup[] Kinds(int from, int count, long record) =>
        [.. Enumerable.Range(from, count).Select(kind => new ErrorGroup($"k{kind:000}", "/k", 1, record, $"of {record}"))];

    private static ChunkOutcome Failed(int records, params ErrorGroup[] groups) =>
        new(Enumerable.Repeat((byte)RecordOutcome.Failed, records).ToArray(), default, "", 0) { ErrorGroups = groups };
}
