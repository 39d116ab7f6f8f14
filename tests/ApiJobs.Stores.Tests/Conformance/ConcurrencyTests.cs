using ApiJobs.Jobs;
using ApiJobs.Storage;
using ApiJobs.Stores.Tests.Broken;

namespace ApiJobs.Stores.Tests.Conformance;

/// <summary>What holds when many do the same at once, on one node and on several.</summary>
public abstract class ConcurrencyTests(StoreFixture stores) : StoreTests(stores)
{
    private static readonly Guid[] Companies = [Company, OtherCompany, Guid.CreateVersion7()];

    [Fact]
    public async Task Jobs_sealed_at_once_come_out_in_the_order_of_their_positions()
    {
        IWholeStore[] nodes = [Store, await AnotherNodeAsync()];

        var jobs = (await AtOnceAsync(8, async sender =>
        {
            var sent = new List<ApiJob>();
            for (var job = 0; job < 10; job++)
                sent.Add(await AcceptAsync(nodes[sender % 2], Company, "", [.. Enumerable.Repeat(1, 1 + job % 3)]));

            // Who waits for an answer before sending again gets a later place.
            sent.Select(job => job.Position).ShouldBeInOrder();
            return sent;
        })).SelectMany(sent => sent).OrderBy(job => job.Position).ToList();

        jobs.Select(job => job.Position).ShouldBe(Enumerable.Range(1, 80).Select(position => (long)position));
        (await ReadAheadAsync(await ClaimAsync())).Select(chunk => chunk.Job.Id).Distinct().ShouldBe(jobs.Select(job => job.Id));
    }

    [Fact]
    public async Task Every_lane_is_claimed_by_one_of_many()
    {
        IWholeStore[] nodes = [Store, await AnotherNodeAsync()];
        foreach (var company in Companies)
            await AcceptAsync(company, 1);

        var leases = await AtOnceAsync(12, worker => nodes[worker % 2].ClaimLaneAsync(NodeName, LeaseTime, Cancel));

        leases.Where(lease => lease is not null).Select(lease => lease!.CompanyId).ShouldBe(Companies, ignoreOrder: true);
    }

    [Fact]
    public async Task One_of_two_workers_applies_a_chunk()
    {
        var job = await AcceptAsync(Company, [.. Enumerable.Repeat(3, 20)]);
        var lease = await ClaimAsync();
        IWholeStore[] nodes = [Store, await AnotherNodeAsync()];

        foreach (var chunk in await ReadAheadAsync(lease))
            (await AtOnceAsync(4, worker => ApplyAsync(nodes[worker % 2], lease, [chunk]))).Count(applied => applied).ShouldBe(1);

        (await AppliedAsync(Company)).ShouldBe(RecordsOf(job));
        (await FindAsync(job)).Counts.Created.ShouldBe(60);
    }

    [Fact]
    public async Task A_worker_takes_the_place_of_one_whose_effects_failed()
    {
        var job = await AcceptAsync(Company, 2);
        var lease = await ClaimAsync();
        var chunks = await ReadAheadAsync(lease);
        var other = await AnotherNodeAsync();
        var inside = new TaskCompletionSource();
        var failing = new TaskCompletionSource();

        var first = Store.ApplyAsync(lease, chunks, async (transaction, cancellationToken) =>
        {
            await Effects(chunks)(transaction, cancellationToken);
            inside.SetResult();
            await failing.Task;
            throw new InvalidOperationException("The first worker fails while the second waits.");
        }, Cancel);
        await inside.Task.WaitAsync(Patience, Cancel);
        var second = ApplyAsync(other, lease, chunks);
        failing.SetResult();

        await Should.ThrowAsync<InvalidOperationException>(first);
        (await second).ShouldBeTrue();
        (await AppliedAsync(Company)).ShouldBe(RecordsOf(job));
    }

    [Fact]
    public async Task Many_workers_apply_every_record_once_and_in_the_order_of_its_lane()
    {
        IWholeStore[] nodes = [Store, await AnotherNodeAsync()];
        var accepted = new List<ApiJob>();
        foreach (var size in Enumerable.Range(0, 12))
            accepted.Add(await AcceptAsync(Companies[size % 3], [.. Enumerable.Repeat(2, 1 + size)]));

        // More arrives while they work.
        var sending = AtOnceAsync(3, async sender =>
        {
            var sent = new List<ApiJob>();
            for (var job = 0; job < 8; job++)
                sent.Add(await AcceptAsync(nodes[sender % 2], Companies[sender], "", 3, 1));
            return sent;
        });
        await AtOnceAsync(4, async worker =>
        {
            while (!sending.IsCompleted)
                await DrainAsync(nodes[worker % 2]);
            return true;
        });
        accepted.AddRange((await sending).SelectMany(sent => sent));
        await DrainAsync(Store);

        foreach (var jobs in accepted.GroupBy(job => job.CompanyId))
        {
            (await AppliedAsync(jobs.Key)).ShouldBe(RecordsOf(jobs.OrderBy(job => job.Position)));
            foreach (var job in jobs)
                (await FindAsync(job)).ShouldSatisfyAllConditions(found => found.HasEnded.ShouldBeTrue(), found => found.Unprocessed.ShouldBe(0));
        }
    }

    [Fact]
    public async Task A_sweep_takes_an_upload_whole_or_not_at_all()
    {
        for (var round = 0; round < 20; round++)
        {
            var before = await Database.CountRowsAsync();
            var chunks = ChunksOf(1, 1, 1);
            var request = NewJob(Company, chunks, lane: $"round {round}");
            foreach (var chunk in chunks.SkipLast(1))
                await Store.AppendChunkAsync(Company, request.Id, chunk, Cancel);
            await Database.PassTimeAsync(TimeSpan.FromHours(2));

            var sealing = Task.Run(() => Store.SealJobAsync(request, chunks[^1], Cancel), Cancel);
            var sweeping = Task.Run(() => Store.SweepUploadsAsync(TimeSpan.FromHours(1), Cancel), Cancel);
            var (job, swept) = (await sealing, await sweeping);

            swept.ShouldBe(job is SealResult.Swept ? 1 : 0);
            if (job is SealResult.Swept)
                (await Database.CountRowsAsync()).ShouldBe(before, ignoreOrder: true);
            else
                (await ResultsAsync(job.ShouldBeSealed())).Count.ShouldBe(3);
        }
    }

    [Fact]
    public async Task A_job_sealed_while_its_lane_is_given_back_is_not_forgotten()
    {
        var last = await AcceptAsync(Company, 1);
        for (var round = 0; round < 30; round++)
        {
            var lease = await ClaimAsync();
            (await ApplyAsync(lease, await ReadAheadAsync(lease))).ShouldBeTrue();

            var sealing = Task.Run(() => AcceptAsync(Company, 1), Cancel);
            var releasing = Task.Run(() => Store.ReleaseLaneAsync(lease, fault: null, Cancel), Cancel);
            await releasing;
            last = await sealing;
        }

        await DrainAsync(Store);
        (await FindAsync(last)).HasEnded.ShouldBeTrue();
    }

    [Fact]
    public async Task Companies_write_at_once_without_failing_each_other()
    {
        var jobs = new List<ApiJob>();
        foreach (var company in Companies)
            jobs.Add(await AcceptAsync(company, [.. Enumerable.Repeat(50, 10)]));

        await AtOnceAsync(Companies.Length, async _ =>
        {
            await DrainAsync(Store);
            return true;
        });

        foreach (var job in jobs)
            (await AppliedAsync(job.CompanyId)).ShouldBe(RecordsOf(job));
    }

    private static Task<T[]> AtOnceAsync<T>(int count, Func<int, Task<T>> action) =>
        Task.WhenAll(Enumerable.Range(0, count).Select(number => Task.Run(() => action(number), Cancel)));
}
