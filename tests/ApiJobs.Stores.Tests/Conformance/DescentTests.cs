using ApiJobs.Jobs;
using ApiJobs.Storage;

namespace ApiJobs.Stores.Tests.Conformance;

/// <summary>A job is retried by one job at the most, and promoted by one; whoever comes second is told which.</summary>
public abstract class DescentTests(StoreFixture stores) : StoreTests(stores)
{
    private static readonly byte[] Fingerprint = new byte[32];

    [Fact]
    public async Task A_job_has_one_child_of_each_kind()
    {
        var parent = await ParentAsync();
        (await Store.FindChildrenAsync(Company, [parent], Cancel)).ShouldBeEmpty();

        var retry = await SealAsync(Request(parent, JobDescent.Retry));
        var promotion = await SealAsync(Request(parent, JobDescent.Promotion));

        (await Store.FindChildrenAsync(Company, [parent], Cancel)).ShouldBe(
            [new(parent, JobDescent.Retry, retry.Id), new(parent, JobDescent.Promotion, promotion.Id)], ignoreOrder: true);
        (await Store.FindChildrenAsync(OtherCompany, [parent], Cancel)).ShouldBeEmpty();
        (await Store.FindChildrenAsync(Company, [retry.Id], Cancel)).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(null)]
    [InlineData("key")]
    public async Task A_second_child_of_a_kind_is_told_the_first_and_leaves_nothing(string? key)
    {
        var parent = await ParentAsync();
        var first = await SealAsync(Request(parent, JobDescent.Retry));
        var before = await Database.CountRowsAsync();
        var second = Request(parent, JobDescent.Retry, key);

        (await Store.SealJobAsync(second, ChunksOf(1)[0], Cancel)).ShouldBeOfType<SealResult.ParentTaken>().ChildId.ShouldBe(first.Id);

        (await Database.CountRowsAsync()).ShouldBe(before, ignoreOrder: true);
        (await Store.FindJobAsync(Company, second.Id, Cancel)).ShouldBeNull();
        if (key is not null)
            (await Store.FindKeyAsync(Company, "client", key, Cancel)).ShouldBeNull();
        // The lane has no gap.
        (await AcceptAsync(Company, 1)).Position.ShouldBe(first.Position + 1);
    }

    [Fact]
    public async Task What_was_uploaded_for_a_second_child_is_still_there_to_be_abandoned()
    {
        var parent = await ParentAsync();
        await SealAsync(Request(parent, JobDescent.Retry));
        var before = await Database.CountRowsAsync();
        var chunks = ChunksOf(1, 1);
        var second = NewJob(Company, chunks) with { Origin = new() { ParentId = parent }, Descent = JobDescent.Retry };
        await Store.AppendChunkAsync(Company, second.Id, chunks[0], Cancel);

        (await Store.SealJobAsync(second, chunks[1], Cancel)).ShouldBeOfType<SealResult.ParentTaken>();
        await Store.AbandonUploadAsync(Company, second.Id, Cancel);

        (await Database.CountRowsAsync()).ShouldBe(before, ignoreOrder: true);
    }

    [Fact]
    public async Task Who_sends_a_retry_again_under_its_key_gets_the_job_and_not_the_refusal()
    {
        var parent = await ParentAsync();
        var first = await SealAsync(Request(parent, JobDescent.Retry, "key"));

        (await Store.SealJobAsync(Request(parent, JobDescent.Retry, "key"), ChunksOf(1)[0], Cancel))
            .ShouldBeOfType<SealResult.KeyTaken>().JobId.ShouldBe(first.Id);
    }

    [Fact]
    public async Task A_key_that_is_taken_takes_no_parent()
    {
        var parent = await ParentAsync();
        await SealAsync(NewJob(Company, ChunksOf(1)) with { Origin = new() { ClientId = "client", IdempotencyKey = "key" }, Fingerprint = Fingerprint });

        (await Store.SealJobAsync(Request(parent, JobDescent.Retry, "key"), ChunksOf(1)[0], Cancel)).ShouldBeOfType<SealResult.KeyTaken>();

        (await Store.FindChildrenAsync(Company, [parent], Cancel)).ShouldBeEmpty();
        await SealAsync(Request(parent, JobDescent.Retry));
    }

    [Fact]
    public async Task A_retry_whose_answer_was_lost_is_made_once()
    {
        var parent = await ParentAsync();
        var request = Request(parent, JobDescent.Retry, "key");

        var first = await SealAsync(request);

        (await SealAsync(request)).ShouldBe(first);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Of_fifty_at_once_one_is_made_and_the_others_are_told_which(bool keyed)
    {
        var parent = await ParentAsync();
        IJobStore[] nodes = [Store, await AnotherNodeAsync()];

        var results = await Task.WhenAll(Enumerable.Range(0, 50).Select(sender => Task.Run(
            () => nodes[sender % 2].SealJobAsync(Request(parent, JobDescent.Retry, keyed ? $"key {sender}" : null), ChunksOf(1)[0], Cancel), Cancel)));

        var made = results.OfType<SealResult.Sealed>().ShouldHaveSingleItem().Job;
        results.OfType<SealResult.ParentTaken>().Select(taken => taken.ChildId).ShouldBe(Enumerable.Repeat(made.Id, 49));
        (await Store.FindChildrenAsync(Company, [parent], Cancel)).ShouldBe([new(parent, JobDescent.Retry, made.Id)]);
        if (keyed)
            (await KeysThatAreTakenAsync()).ShouldBe(1);

        async Task<int> KeysThatAreTakenAsync()
        {
            var holders = await Task.WhenAll(Enumerable.Range(0, 50).Select(sender => Store.FindKeyAsync(Company, "client", $"key {sender}", Cancel)));
            return holders.Count(holder => holder is not null);
        }
    }

    [Fact]
    public async Task Another_company_s_child_of_the_same_id_is_no_child()
    {
        var parent = await ParentAsync();
        await SealAsync(Request(parent, JobDescent.Retry) with { CompanyId = OtherCompany });

        (await Store.FindChildrenAsync(Company, [parent], Cancel)).ShouldBeEmpty();
        await SealAsync(Request(parent, JobDescent.Retry));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_child_survives_the_node(bool crash)
    {
        var parent = await ParentAsync();
        var child = await SealAsync(Request(parent, JobDescent.Promotion));

        await (crash ? CrashAndRestartAsync() : RestartAsync());

        (await Store.FindChildrenAsync(Company, [parent], Cancel)).ShouldBe([new(parent, JobDescent.Promotion, child.Id)]);
    }

    [Fact]
    public async Task What_is_known_of_a_child_goes_with_its_parent()
    {
        var before = await Database.CountRowsAsync();
        var parent = await ParentAsync();
        await SealAsync(Request(parent, JobDescent.Retry));

        // The child has not ended, and stays.
        await RemoveEndedAsync();

        (await Store.FindChildrenAsync(Company, [parent], Cancel)).ShouldBeEmpty();
        (await Database.CountRowsAsync())["job_children"].ShouldBe(before["job_children"]);
    }

    [Fact]
    public async Task What_is_known_of_a_child_goes_with_the_child_and_nothing_else_does()
    {
        var (gone, kept) = (Guid.CreateVersion7(Now), await AcceptAsync(Company, 1));
        await SealAsync(Request(kept.Id, JobDescent.Promotion) with { Lane = "other" });
        await SealAsync(Request(kept.Id, JobDescent.Retry) with { Lane = "other" });
        // Its parent was removed before the child was sealed.
        await SealAsync(Request(gone, JobDescent.Retry) with { Lane = "ended" });
        await DrainLaneAsync("ended");

        await RemoveEndedAsync();

        (await Store.FindChildrenAsync(Company, [gone], Cancel)).ShouldBeEmpty();
        (await Store.FindChildrenAsync(Company, [kept.Id], Cancel)).Count.ShouldBe(2);
    }

    private async Task<Guid> ParentAsync()
    {
        var parent = await SealAsync(NewJob(Company, ChunksOf(1)) with { Id = Guid.CreateVersion7(Now) });
        await DrainAsync(Store);
        return parent.Id;
    }

    private async Task DrainLaneAsync(string lane)
    {
        for (var claimed = 0; claimed < 3; claimed++)
        {
            var lease = await ClaimAsync();
            if (lease.Lane == lane)
                await ApplyAsync(lease, await ReadAheadAsync(lease));
        }
    }

    private async Task RemoveEndedAsync()
    {
        await Database.PassTimeAsync(TimeSpan.FromDays(2));
        while (await Store.RemoveEndedAsync(Company, TimeSpan.FromDays(1), EndedPart.Jobs, Cancel)) { }
    }

    private NewJob Request(Guid parent, JobDescent descent, string? key = null) => NewJob(Company, ChunksOf(1)) with
    {
        Id = Guid.CreateVersion7(Now),
        Origin = new() { ClientId = "client", ParentId = parent, IdempotencyKey = key },
        Fingerprint = key is null ? default : Fingerprint,
        Descent = descent,
    };

    private async Task<ApiJob> SealAsync(NewJob request) => (await Store.SealJobAsync(request, ChunksOf(1)[0], Cancel)).ShouldBeSealed();
}
