using ApiJobs.Jobs;
using ApiJobs.Storage;
using static ApiJobs.Stores.Tests.Conformance.TestResources;

namespace ApiJobs.Stores.Tests.Conformance;

/// <summary>No company ever reads or writes what is another's, on any method, whatever ids it knows.</summary>
public abstract class IsolationTests(StoreFixture stores) : StoreTests(stores)
{
    [Fact]
    public async Task Another_companys_job_is_not_found()
    {
        var job = await AcceptAsync(Company, 1, 1);
        await AcceptAsync(OtherCompany, 1);

        (await Store.FindJobAsync(OtherCompany, job.Id, Cancel)).ShouldBeNull();
        (await Store.ReadResultsAsync(OtherCompany, job.Id, 0, 10, Cancel)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Another_companys_upload_cannot_be_abandoned()
    {
        var chunks = ChunksOf(1, 1);
        var request = NewJob(Company, chunks);
        await Store.AppendChunkAsync(Company, request.Id, chunks[0], Cancel);

        await Store.AbandonUploadAsync(OtherCompany, request.Id, Cancel);

        (await Store.SealJobAsync(request, chunks[1], Cancel)).ShouldBeSealed();
    }

    [Fact]
    public async Task Another_companys_upload_cannot_be_appended_to_or_sealed()
    {
        var chunks = ChunksOf(1, 1, 1);
        var request = NewJob(Company, chunks);
        await Store.AppendChunkAsync(Company, request.Id, chunks[0], Cancel);
        var intruder = request with { CompanyId = OtherCompany };

        (await Store.AppendChunkAsync(OtherCompany, request.Id, chunks[1], Cancel)).ShouldBeFalse();
        (await Store.SealJobAsync(intruder, chunks[2], Cancel)).ShouldBeSwept();

        (await Store.AppendChunkAsync(Company, request.Id, chunks[1], Cancel)).ShouldBeTrue();
        (await Store.SealJobAsync(request, chunks[2], Cancel)).ShouldBeSealed();
        (await Store.FindJobAsync(OtherCompany, request.Id, Cancel)).ShouldBeNull();
    }

    [Fact]
    public async Task Two_companies_may_have_jobs_of_one_id()
    {
        var (chunks, otherChunks) = (ChunksOf(1, 1), ChunksOf(2, 2, 2));
        var request = NewJob(Company, chunks);
        var other = NewJob(OtherCompany, otherChunks) with { Id = request.Id };

        var job = await UploadAsync(Store, request, chunks);
        var otherJob = await UploadAsync(Store, other, otherChunks);
        await DrainAsync(Store);

        (await FindAsync(job)).Counts.ShouldBe(new OutcomeCounts(2, 0, 0, 0));
        (await FindAsync(otherJob)).Counts.ShouldBe(new OutcomeCounts(6, 0, 0, 0));
        (await ResultsAsync(job)).Count.ShouldBe(2);
        (await ResultsAsync(otherJob)).Count.ShouldBe(3);
    }

    [Fact]
    public async Task A_lease_reads_its_own_companys_lane_only()
    {
        var job = await AcceptAsync(Company, 1);
        var otherJob = await AcceptAsync(OtherCompany, 1);

        var read = new[] { await ReadAheadAsync(await ClaimAsync()), await ReadAheadAsync(await ClaimAsync()) };

        read.ShouldAllBe(chunks => chunks.Count == 1);
        read.Select(chunks => chunks[0].Job.Id).ShouldBe([job.Id, otherJob.Id], ignoreOrder: true);
    }

    [Fact]
    public async Task A_lease_never_applies_another_companys_chunks()
    {
        var (job, lease, chunks) = await ClaimedAsync(Company);
        var (_, otherLease, _) = await ClaimedAsync(OtherCompany);

        var called = false;
        try
        {
            (await Store.ApplyAsync(otherLease, chunks, (_, _) =>
            {
                called = true;
                return Task.FromResult<IReadOnlyList<ChunkOutcome>>([AllCreated(chunks[0])]);
            }, Cancel)).ShouldBeEmpty();
        }
        catch (Exception refusal) when (refusal is ArgumentException or InvalidOperationException)
        {
        }

        called.ShouldBeFalse();
        (await FindAsync(job)).ShouldBe(job);
        (await ApplyAsync(lease, chunks)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_token_holds_for_its_own_lane_only()
    {
        var (_, lease, _) = await ClaimedAsync(Company);
        await ClaimedAsync(OtherCompany);
        var forged = lease with { CompanyId = OtherCompany };

        (await Store.RenewLeaseAsync(forged, LeaseTime, Cancel)).ShouldBeFalse();
        await Store.ReleaseLaneAsync(forged, fault: null, Cancel);

        (await Store.ClaimLaneAsync(NodeName, LeaseTime, Cancel)).ShouldBeNull();
    }

    [Fact]
    public async Task Rows_of_one_id_belong_to_each_company_alone()
    {
        var id = Guid.CreateVersion7();
        await InsertAsync(Company, Row(id, Now, ("ref", "same"), ("notes", "ours")));
        await InsertAsync(OtherCompany, Row(id, Now, ("ref", "same"), ("notes", "theirs")));

        await InTransactionAsync(Company, transaction => transaction.WriteRowsAsync(Sample, Company,
            [new(Row(id, Now, ("notes", "changed")), IsNew: false, FieldSet(Sample, "notes"))], Cancel));

        (await NotesAsync(Company, id)).ShouldBe("changed");
        (await NotesAsync(OtherCompany, id)).ShouldBe("theirs");
    }

    [Fact]
    public async Task Another_companys_rows_are_not_read()
    {
        var id = Guid.CreateVersion7();
        await InsertAsync(Company, Row(id, Now, ("ref", "secret")));

        (await Rows.FindRowAsync(Sample, OtherCompany, id, Cancel)).ShouldBeNull();
        (await Rows.ListRowsAsync(Sample, OtherCompany, new() { Limit = 10 }, Cancel)).ShouldBeEmpty();
        (await Rows.ListRowsAsync(Sample, OtherCompany, new() { Limit = 10, Equal = [(Sample.Fields[0], "secret")] }, Cancel)).ShouldBeEmpty();
        (await Rows.ListRowsAsync(Sample, OtherCompany, new() { Limit = 10, UpdatedAfter = DateTimeOffset.UnixEpoch }, Cancel)).ShouldBeEmpty();
        await InTransactionAsync(OtherCompany, async transaction =>
        {
            (await transaction.LoadRowsAsync(Sample, OtherCompany, [id], Sample.AllFields, Cancel)).ShouldBeEmpty();
            (await transaction.FindByUniqueAsync(Sample, OtherCompany, Sample.Fields[0], ["secret"], Cancel)).ShouldBeEmpty();
        });
    }

    [Fact]
    public async Task Another_companys_rows_are_not_written()
    {
        var row = Row(Guid.CreateVersion7(), Now, ("notes", "ours"));
        await InsertAsync(Company, row);

        await Record.ExceptionAsync(() => InTransactionAsync(OtherCompany, transaction => transaction.WriteRowsAsync(Sample, OtherCompany,
            [new(Row(row.Id, Now, ("notes", "theirs")), IsNew: false, FieldSet(Sample, "notes"))], Cancel)));

        (await NotesAsync(Company, row.Id)).ShouldBe("ours");
        (await Rows.ListRowsAsync(Sample, OtherCompany, new() { Limit = 10 }, Cancel)).ShouldBeEmpty();
    }

    private async Task<(ApiJob, LaneLease, IReadOnlyList<PendingChunk>)> ClaimedAsync(Guid company)
    {
        var job = await AcceptAsync(company, 1);
        var lease = await ClaimAsync();
        return (job, lease, await ReadAheadAsync(lease));
    }

    private async Task<string?> NotesAsync(Guid company, Guid id) =>
        (await Rows.FindRowAsync(Sample, company, id, Cancel)).ShouldNotBeNull().Values[Sample.IndexOf("notes")];
}
