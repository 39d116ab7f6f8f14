using ApiJobs.Jobs;
using ApiJobs.Records;
using ApiJobs.Resources;
using ApiJobs.Sqlite;
using ApiJobs.Storage;
using ApiJobs.Stores.Tests.Conformance;

namespace ApiJobs.Stores.Tests.Sqlite;

public sealed class SqliteStoreTests : IDisposable
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);
    private readonly SqliteFolder _folder = new();
    private readonly Guid _company = Guid.CreateVersion7();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_job_goes_its_whole_way()
    {
        await using var store = await _folder.OpenAsync();
        var job = SqliteFolder.NewJob(_company, records: 5);
        (await store.Jobs.AppendChunkAsync(_company, job.Id, SqliteFolder.Chunk(0, 0, 2), Stop)).ShouldBeTrue();
        (await store.Jobs.AppendChunkAsync(_company, job.Id, SqliteFolder.Chunk(1, 2, 2), Stop)).ShouldBeTrue();
        (await store.Jobs.FindJobAsync(_company, job.Id, Stop)).ShouldBeNull();
        var pending = (await store.Jobs.SealJobAsync(job, SqliteFolder.Chunk(2, 4, 1), Stop)).ShouldBeSealed();
        pending.Status.ShouldBe(ApiJobStatus.Pending);
        (await store.Jobs.FindJobAsync(_company, job.Id, Stop)).ShouldBe(pending);
        (await store.Jobs.FindJobAsync(Guid.CreateVersion7(), job.Id, Stop)).ShouldBeNull();

        var lease = (await store.Lanes.ClaimLaneAsync("node", Lease, Stop)).ShouldNotBeNull();
        var ahead = await store.Lanes.ReadAheadAsync(lease, null, maxRecords: 4, Stop);
        ahead.Select(chunk => chunk.Chunk.Index).ShouldBe([0, 1]);
        var startedAt = _folder.Time.GetUtcNow();
        _folder.Time.Advance(TimeSpan.FromSeconds(1));
        var row = new ResourceRow(Guid.CreateVersion7(), ["A1", "", Guid.Empty.ToString(), "2024-02-29", "-5", "true", """{"a":"ü"}"""], startedAt, startedAt);
        (await store.Lanes.ApplyAsync(lease, ahead, async (transaction, cancellationToken) =>
        {
            await transaction.WriteRowsAsync(SqliteFolder.Cases, _company, [new RowWrite(row, IsNew: true, 0)], cancellationToken);
            return [SqliteFolder.Outcome(ahead[0], RecordOutcome.Created), SqliteFolder.Outcome(ahead[1], RecordOutcome.Failed, "entry ü\n")];
        }, Stop)).ShouldNotBeEmpty();

        var processing = (await store.Jobs.FindJobAsync(_company, job.Id, Stop)).ShouldNotBeNull();
        processing.Status.ShouldBe(ApiJobStatus.Processing);
        processing.NextChunk.ShouldBe(2);
        processing.Counts.ShouldBe(new OutcomeCounts(2, 0, 0, 2));
        (await store.Jobs.ReadMessageAsync(_company, job.Id, 2, Stop)).ShouldBe("entry ü\n");
        processing.StartTime.ShouldBe(_folder.Time.GetUtcNow());
        var read = (await store.Rows.FindRowAsync(SqliteFolder.Cases, _company, row.Id, Stop)).ShouldNotBeNull();
        read.Values.ShouldBe(row.Values);
        read.CreatedAt.ShouldBe(row.CreatedAt);
        (await store.Rows.ListRowsAsync(SqliteFolder.Cases, _company, new ResourceQuery { Limit = 10, Equal = [(SqliteFolder.Cases.Fields[0], "A1")] }, Stop)).Count.ShouldBe(1);

        var last = await store.Lanes.ReadAheadAsync(lease, ahead[^1], maxRecords: 4, Stop);
        last.Single().IsLast.ShouldBeTrue();
        (await store.Lanes.ApplyAsync(lease, ahead, (_, _) => throw new InvalidOperationException("It must not be called."), Stop)).ShouldBeEmpty();
        (await store.Lanes.ApplyAsync(lease, last, async (transaction, cancellationToken) =>
        {
            var changed = row with { Values = [null, "EH1", null, null, "7", "false", null], UpdatedAt = _folder.Time.GetUtcNow() };
            await transaction.WriteRowsAsync(SqliteFolder.Cases, _company, [new RowWrite(changed, IsNew: false, 0b10010)], cancellationToken);
            var loaded = await transaction.LoadRowsAsync(SqliteFolder.Cases, _company, [row.Id, Guid.Empty], 0b10011, cancellationToken);
            loaded.Single().Value.Values.ShouldBe(["A1", "EH1", null, null, "7", null, null]);
            (await transaction.FindByUniqueAsync(SqliteFolder.Cases, _company, SqliteFolder.Cases.Fields[0], ["A1", "A2"], cancellationToken))
                .ShouldBe(new Dictionary<string, Guid> { ["A1"] = row.Id });
            await Should.ThrowAsync<TimeoutException>(transaction.InSavepointAsync(async () =>
            {
                await transaction.WriteRowsAsync(SqliteFolder.Cases, _company, [new RowWrite(row, IsNew: false, 0b10)], cancellationToken);
                throw new TimeoutException();
            }, cancellationToken));
            return SqliteFolder.AllUpdated(last);
        }, Stop)).ShouldNotBeEmpty();

        var ended = (await store.Jobs.FindJobAsync(_company, job.Id, Stop)).ShouldNotBeNull();
        ended.Status.ShouldBe(ApiJobStatus.Completed);
        ended.Counts.Effected.ShouldBe(3);
        (await store.Rows.FindRowAsync(SqliteFolder.Cases, _company, row.Id, Stop))!.Values[1].ShouldBe("EH1");
        (await store.Lanes.ReadAheadAsync(lease, null, 10, Stop)).ShouldBeEmpty();
        (await store.Jobs.ReadResultsAsync(_company, job.Id, 1, 5, Stop)).Select(result => result.Outcomes.Length).ShouldBe([2, 1]);
        await store.Lanes.ReleaseLaneAsync(lease, fault: null, Stop);
        (await store.Lanes.ClaimLaneAsync("node", Lease, Stop)).ShouldBeNull();
    }

    [Fact]
    public async Task A_second_store_on_the_same_file_is_refused_until_the_first_closes()
    {
        await using (await _folder.OpenAsync())
        {
            await using var second = _folder.Store();
            var refusal = await Should.ThrowAsync<InvalidOperationException>(() => second.Upkeep.InitializeAsync(Stop));
            refusal.Message.ShouldContain("PostgreSql");
        }

        await using var third = await _folder.OpenAsync();
        await third.Upkeep.PingAsync(Stop);
    }

    [Fact]
    public async Task A_restart_finds_the_lanes_that_have_work()
    {
        var job = SqliteFolder.NewJob(_company, lane: "letters");
        await using (var store = await _folder.OpenAsync())
        {
            await store.Jobs.SealJobAsync(job, SqliteFolder.Chunk(), Stop);
            await store.Jobs.SealJobAsync(SqliteFolder.NewJob(Guid.CreateVersion7()), SqliteFolder.Chunk(), Stop);
            // Claimed and never released: a lease does not outlive its process.
            (await store.Lanes.ClaimLaneAsync("node", Lease, Stop)).ShouldNotBeNull();
            var other = (await store.Lanes.ClaimLaneAsync("node", Lease, Stop)).ShouldNotBeNull();
            var chunks = await store.Lanes.ReadAheadAsync(other, null, 10, Stop);
            await store.Lanes.ApplyAsync(other, chunks, (_, _) => Task.FromResult(SqliteFolder.AllUpdated(chunks)), Stop);
        }

        await using var restarted = await _folder.OpenAsync();
        var lease = (await restarted.Lanes.ClaimLaneAsync("node", Lease, Stop)).ShouldNotBeNull();
        (lease.CompanyId, lease.Lane).ShouldBe((_company, "letters"));
        (await restarted.Lanes.ClaimLaneAsync("node", Lease, Stop)).ShouldBeNull();
        (await restarted.Lanes.ReadAheadAsync(lease, null, 10, Stop)).Single().Job.Id.ShouldBe(job.Id);
    }

    [Fact]
    public async Task A_database_of_a_newer_program_is_refused()
    {
        await using (await _folder.OpenAsync())
        {
        }

        _folder.Execute("INSERT INTO schema_versions (ScriptName, Applied) VALUES ('9999_later.sql', '2099-01-01')");
        await using var store = _folder.Store();
        (await Should.ThrowAsync<SchemaTooNewException>(() => store.Upkeep.InitializeAsync(Stop))).Message.ShouldContain("9999_later");
    }

    [Fact]
    public async Task A_field_declared_later_gets_its_column_and_index()
    {
        var id = Guid.CreateVersion7();
        var now = _folder.Time.GetUtcNow();
        var before = new Resource("letter", "Letter", "letters", [Field.Text("order", 10)]);
        await using (var store = await _folder.OpenAsync(before))
            await WriteAsync(store, before, new ResourceRow(id, ["x"], now, now));

        var after = new Resource("letter", "Letter", "letters", [Field.Text("ref", 10) with { IsUnique = true }, Field.Text("order", 10)]);
        await using (var store = await _folder.OpenAsync(after))
        {
            (await store.Rows.FindRowAsync(after, _company, id, Stop))!.Values.ShouldBe([null, "x"]);
            await WriteAsync(store, after, new ResourceRow(Guid.CreateVersion7(), ["A", null], now, now));
            var refused = await Should.ThrowAsync<Exception>(() => WriteAsync(store, after, new ResourceRow(Guid.CreateVersion7(), ["A", null], now, now)));
            store.Lanes.Classify(refused).ShouldBe(StoreFault.Constraint);
        }

        await using var retyped = _folder.Store(new Resource("letter", "Letter", "letters", [Field.Integer("order")]));
        (await Should.ThrowAsync<InvalidOperationException>(() => retyped.Upkeep.InitializeAsync(Stop))).Message.ShouldContain("letter.order");
    }

    [Fact]
    public async Task A_job_that_ended_before_its_last_chunk_does_not_hold_up_its_lane()
    {
        await using var store = await _folder.OpenAsync();
        var cancelled = SqliteFolder.NewJob(_company);
        await store.Jobs.SealJobAsync(cancelled, SqliteFolder.Chunk(), Stop);
        var next = SqliteFolder.NewJob(_company);
        await store.Jobs.SealJobAsync(next, SqliteFolder.Chunk(), Stop);
        var lastCancelled = SqliteFolder.NewJob(_company);
        await store.Jobs.SealJobAsync(lastCancelled, SqliteFolder.Chunk(), Stop);
        var failure = new JobFailure("cancelled", "The job was cancelled.");
        foreach (var job in new[] { cancelled, lastCancelled })
            (await store.Jobs.EndJobAsync(_company, job.Id, failure, Stop)).ShouldBe(EndResult.Ended);

        var lease = (await store.Lanes.ClaimLaneAsync("node", Lease, Stop)).ShouldNotBeNull();
        var chunks = await store.Lanes.ReadAheadAsync(lease, null, 10, Stop);
        chunks.Single().Job.Id.ShouldBe(next.Id);
        await store.Lanes.ApplyAsync(lease, chunks, (_, _) => Task.FromResult(SqliteFolder.AllUpdated(chunks)), Stop);
        await store.Lanes.ReleaseLaneAsync(lease, fault: null, Stop);
        (await store.Lanes.ClaimLaneAsync("node", Lease, Stop)).ShouldBeNull();

        var alone = SqliteFolder.NewJob(_company);
        await store.Jobs.SealJobAsync(alone, SqliteFolder.Chunk(), Stop);
        await store.Jobs.EndJobAsync(_company, alone.Id, failure, Stop);
        (await store.Lanes.ClaimLaneAsync("node", Lease, Stop)).ShouldBeNull();
    }

    [Fact]
    public async Task The_second_job_of_a_lane_cannot_be_applied_before_the_first()
    {
        await using var store = await _folder.OpenAsync();
        await store.Jobs.SealJobAsync(SqliteFolder.NewJob(_company), SqliteFolder.Chunk(), Stop);
        await store.Jobs.SealJobAsync(SqliteFolder.NewJob(_company), SqliteFolder.Chunk(), Stop);
        var lease = (await store.Lanes.ClaimLaneAsync("node", Lease, Stop)).ShouldNotBeNull();
        var chunks = await store.Lanes.ReadAheadAsync(lease, null, 10, Stop);
        (await store.Lanes.ApplyAsync(lease, [chunks[1]], (_, _) => throw new InvalidOperationException("It must not be called."), Stop))
            .ShouldBeEmpty();
    }

    [Fact]
    public async Task A_removal_that_was_cut_short_lets_nothing_be_sealed_and_is_finished_by_the_next_sweep()
    {
        await using var store = await _folder.OpenAsync();
        var job = SqliteFolder.NewJob(_company, records: 21);
        for (var index = 0; index < 20; index++)
            await store.Jobs.AppendChunkAsync(_company, job.Id, SqliteFolder.Chunk(index, index), Stop);
        _folder.Execute("UPDATE uploads SET next_chunk = -1, touched_at = 0; DELETE FROM chunks WHERE chunk_index < 8");

        (await store.Jobs.AppendChunkAsync(_company, job.Id, SqliteFolder.Chunk(20, 20), Stop)).ShouldBeFalse();
        (await store.Jobs.SealJobAsync(job, SqliteFolder.Chunk(20, 20), Stop)).ShouldBe(new SealResult.Swept());
        (await store.Upkeep.SweepUploadsAsync(TimeSpan.FromHours(2), Stop)).ShouldBe(1);
        (await store.Upkeep.SweepUploadsAsync(TimeSpan.FromHours(2), Stop)).ShouldBe(0);
        _folder.Execute("CREATE TABLE none_left AS SELECT 1 / (SELECT count(*) = 0 FROM chunks) AS checked");
    }

    private async Task WriteAsync(SqliteStore store, Resource resource, ResourceRow row)
    {
        await store.Jobs.SealJobAsync(SqliteFolder.NewJob(_company), SqliteFolder.Chunk(), Stop);
        var lease = (await store.Lanes.ClaimLaneAsync("node", Lease, Stop)).ShouldNotBeNull();
        try
        {
            var chunks = await store.Lanes.ReadAheadAsync(lease, null, 1, Stop);
            await store.Lanes.ApplyAsync(lease, chunks, async (transaction, cancellationToken) =>
            {
                await transaction.WriteRowsAsync(resource, _company, [new RowWrite(row, IsNew: true, 0)], cancellationToken);
                return SqliteFolder.AllUpdated(chunks);
            }, Stop);
        }
        finally
        {
            await store.Lanes.ReleaseLaneAsync(lease, fault: null, Stop);
        }
    }
}
