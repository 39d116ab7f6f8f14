using ApiJobs.Jobs;
using ApiJobs.Storage;

namespace ApiJobs.Stores.Tests.Conformance;

/// <summary>What a node reads of the jobs that are waited for on it: only what has changed, of all companies at once.</summary>
public abstract class ChangedJobsTests(StoreFixture stores) : StoreTests(stores)
{
    [Fact]
    public void A_store_is_shared_if_several_nodes_may_open_it() => Store.IsShared.ShouldBe(Database.ServesManyNodes);

    [Fact]
    public async Task Of_no_jobs_nothing_has_changed() => (await Store.ReadChangedAsync([], Cancel)).ShouldBeEmpty();

    [Fact]
    public async Task A_job_that_is_as_it_was_seen_is_not_given()
    {
        var job = await AcceptAsync(Company, 1, 1);
        (await ChangedAsync(job)).ShouldBeEmpty();

        await ApplyFirstAsync();
        (await ChangedAsync(await FindAsync(job))).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_job_that_has_got_further_is_given_as_it_is_now()
    {
        var job = await AcceptAsync(Company, 1, 1);
        await ApplyFirstAsync();

        var changed = (await ChangedAsync(job)).ShouldHaveSingleItem();

        changed.ShouldBe(await FindAsync(job));
        changed.NextChunk.ShouldBe(1);
    }

    [Fact]
    public async Task A_job_that_has_ended_is_given_also_if_no_chunk_was_applied_since()
    {
        var job = await AcceptAsync(Company, 1, 1);
        await Store.EndJobAsync(Company, job.Id, new("cancelled", "Cancelled by the test."), Cancel);

        var changed = (await ChangedAsync(job)).ShouldHaveSingleItem();

        changed.ShouldBe(await FindAsync(job));
        changed.Status.ShouldBe(ApiJobStatus.Failed);
    }

    [Fact]
    public async Task Jobs_of_several_companies_are_read_at_once_and_each_by_its_own_company_only()
    {
        var (one, other, waiting) = (await AcceptAsync(Company, 1, 1), await AcceptAsync(OtherCompany, 1), await AcceptAsync(OtherCompany, 1));
        await Store.EndJobAsync(Company, one.Id, new("cancelled", "Cancelled by the test."), Cancel);
        await Store.EndJobAsync(OtherCompany, other.Id, new("cancelled", "Cancelled by the test."), Cancel);
        // More companies than go into one round trip, with the two that exist at both ends.
        var strangers = Enumerable.Range(0, 1_200).Select(_ => new SeenJob(Guid.CreateVersion7(), one.Id, 0));

        var changed = await Store.ReadChangedAsync(
            [Seen(one), .. strangers, new(Company, other.Id, 0), new(OtherCompany, one.Id, 0), Seen(other), Seen(waiting)], Cancel);

        changed.Select(job => (job.CompanyId, job.Id)).ShouldBe([(Company, one.Id), (OtherCompany, other.Id)], ignoreOrder: true);
    }

    [Fact]
    public async Task What_fills_a_company_is_read_in_one_call()
    {
        var jobs = new List<ApiJob>();
        for (var i = 0; i < 20; i++)
            jobs.Add(await AcceptAsync(Company, 1));
        await DrainAsync(Store);

        (await ChangedAsync([.. jobs])).Select(job => job.Id).ShouldBe(jobs.Select(job => job.Id), ignoreOrder: true);
    }

    private static SeenJob Seen(ApiJob job) => new(job.CompanyId, job.Id, job.NextChunk);

    private Task<IReadOnlyList<ApiJob>> ChangedAsync(params ApiJob[] jobs) => Store.ReadChangedAsync([.. jobs.Select(Seen)], Cancel);

    private async Task ApplyFirstAsync()
    {
        var lease = await ClaimAsync();
        (await ApplyAsync(lease, (await ReadAheadAsync(lease))[0])).ShouldBeTrue();
    }
}
