using ApiJobs.Jobs;
using ApiJobs.Records;
using ApiJobs.Resources;
using ApiJobs.Storage;

namespace ApiJobs.Stores.Tests.PostgreSql;

/// <summary>The way of a job through the store, from its first chunk to its results.</summary>
public sealed class PostgreSqlPathTests(PostgreSqlDatabases databases) : PostgreSqlStoreTest(databases)
{
    private readonly Guid _company = Guid.CreateVersion7();

    [Fact]
    public async Task A_job_of_two_chunks_goes_from_upload_to_results()
    {
        var job = NewJob(_company, totalRecords: 3) with { Options = new() { KeyField = "ref" } };
        (await Store.AppendChunkAsync(_company, job.Id, ChunkOf(0, 0, "{\"a\":1}", "{\"a\":2}"), Token)).ShouldBeTrue();
        (await Store.FindJobAsync(_company, job.Id, Token)).ShouldBeNull();
        var sealedJob = await Store.SealAsync(job, ChunkOf(1, 2, "{\"a\":3}"), Token);
        (await Store.FindJobAsync(_company, job.Id, Token)).ShouldBe(sealedJob);
        (await Store.FindJobAsync(Guid.CreateVersion7(), job.Id, Token)).ShouldBeNull();
        sealedJob.Position.ShouldBe(1);
        sealedJob.ChunkCount.ShouldBe(2);
        sealedJob.Status.ShouldBe(ApiJobStatus.Pending);

        var lease = (await Store.ClaimLaneAsync(Lease, Token)).ShouldNotBeNull();
        lease.CompanyId.ShouldBe(_company);
        (await Store.ClaimLaneAsync(Lease, Token)).ShouldBeNull();
        (await Store.RenewLeaseAsync(lease, Lease, Token)).ShouldBeTrue();
        (await Store.RenewLeaseAsync(lease with { Token = Guid.CreateVersion7() }, Lease, Token)).ShouldBeFalse();

        var first = (await Store.ReadAheadAsync(lease, after: null, maxRecords: 2, Token)).ShouldHaveSingleItem();
        var second = (await Store.ReadAheadAsync(lease, first, maxRecords: 2, Token)).ShouldHaveSingleItem();
        (await Store.ReadAheadAsync(lease, second, maxRecords: 2, Token)).ShouldBeEmpty();
        first.Job.ShouldBe(sealedJob);
        second.IsLast.ShouldBeTrue();
        ChunkPayload.Split(second.Chunk.Payload).ShouldHaveSingleItem().ToArray().ShouldBe("{\"a\":3}"u8.ToArray());

        byte[] failed = [(byte)RecordOutcome.Failed, (byte)RecordOutcome.Created];
        var errors = ChunkErrors.Write([new(0, "k", [new("not_found", "No.", "/id")])]);
        (await Store.ApplyAsync(
            lease, [first], (_, _) => Task.FromResult<IReadOnlyList<ChunkOutcome>>([new(failed, errors, "entry", 1)]), Token))
            .ShouldNotBeEmpty();
        var running = (await Store.FindJobAsync(_company, job.Id, Token)).ShouldNotBeNull();
        running.Status.ShouldBe(ApiJobStatus.Processing);
        running.Counts.ShouldBe(new OutcomeCounts(1, 0, 0, 1));
        (running.MessageEntryCount, running.MessageBytes).ShouldBe((1, 5));
        (await Store.ReadMessageAsync(_company, job.Id, running.NextChunk, Token)).ShouldBe("entry");

        var again = await Store.ReadAheadAsync(lease, after: null, maxRecords: 10, Token);
        again.ShouldHaveSingleItem().Job.ShouldBe(running);
        (await ApplyAsync(lease, again)).ShouldBeTrue();
        (await ApplyAsync(lease, again)).ShouldBeFalse();
        await Store.ReleaseLaneAsync(lease, Token);

        var ended = (await Store.FindJobAsync(_company, job.Id, Token)).ShouldNotBeNull();
        ended.Status.ShouldBe(ApiJobStatus.Completed);
        ended.EndTime.ShouldBe(ended.UpdatedAt);
        ended.EndTime!.Value.ShouldBeGreaterThanOrEqualTo(running.UpdatedAt);
        ended.Counts.ShouldBe(new OutcomeCounts(1, 1, 0, 1));
        var results = await Store.ReadResultsAsync(_company, job.Id, 0, 10, Token);
        results.Select(result => result.Outcomes.ToArray()).ShouldBe([failed, [(byte)RecordOutcome.Updated]]);
        results[0].Errors.ToArray().ShouldBe(errors.ToArray());
        results[1].Errors.IsEmpty.ShouldBeTrue();
        (await Store.ClaimLaneAsync(Lease, Token)).ShouldBeNull();
    }

    [Fact]
    public async Task Many_small_jobs_are_applied_in_one_transaction_and_the_next_one_is_found()
    {
        var ids = new List<Guid>();
        for (var i = 0; i < 5; i++)
            ids.Add((await SealAsync(_company)).Id);
        var lease = (await Store.ClaimLaneAsync(Lease, Token)).ShouldNotBeNull();
        var chunks = await Store.ReadAheadAsync(lease, null, 4, Token);
        chunks.Select(chunk => chunk.Job.Id).ShouldBe(ids[..4]);
        (await ApplyAsync(lease, chunks)).ShouldBeTrue();

        // One of the group was applied by somebody else: none of it may be applied.
        var rest = await Store.ReadAheadAsync(lease, null, 4, Token);
        (await ApplyAsync(lease, [.. chunks.TakeLast(1), .. rest])).ShouldBeFalse();
        (await Store.FindJobAsync(_company, ids[4], Token)).ShouldNotBeNull().Status.ShouldBe(ApiJobStatus.Pending);

        await Store.ReleaseLaneAsync(lease, Token);
        var next = (await Store.ClaimLaneAsync(Lease, Token)).ShouldNotBeNull();
        (await Store.ReadAheadAsync(next, null, 4, Token)).Select(chunk => chunk.Job.Id).ShouldBe(ids[4..]);
    }

    [Fact]
    public async Task A_job_that_ended_otherwise_does_not_hold_up_its_lane()
    {
        var ended = await SealAsync(_company);
        var next = await SealAsync(_company);
        (await Store.EndJobAsync(_company, ended.Id, new("cancelled", "It was cancelled."), Token)).ShouldBe(EndResult.Ended);
        var lease = (await Store.ClaimLaneAsync(Lease, Token)).ShouldNotBeNull();
        var chunks = await Store.ReadAheadAsync(lease, null, 10, Token);
        chunks.ShouldHaveSingleItem().Job.Id.ShouldBe(next.Id);
        (await ApplyAsync(lease, chunks)).ShouldBeTrue();
        await Store.ReleaseLaneAsync(lease, Token);
        (await Store.ClaimLaneAsync(Lease, Token)).ShouldBeNull();
        (await QueryAsync<long>("SELECT head_position FROM lanes")).ShouldBe(3);

        await SealAsync(_company);
        (await Store.ClaimLaneAsync(Lease, Token)).ShouldNotBeNull();
    }

    [Fact]
    public async Task Effects_are_written_with_the_cursor_or_not_at_all()
    {
        await SealAsync(_company);
        var lease = (await Store.ClaimLaneAsync(Lease, Token)).ShouldNotBeNull();
        var chunks = await Store.ReadAheadAsync(lease, null, 10, Token);
        var row = NewRow("r1");
        var thrown = await Should.ThrowAsync<InvalidOperationException>(() => Store.ApplyAsync(
            lease, chunks,
            async (transaction, token) =>
            {
                await transaction.WriteRowsAsync(Notes, _company, [new(row, IsNew: true, 0)], token);
                throw new InvalidOperationException("the handler's own");
            }, Token));
        thrown.Message.ShouldBe("the handler's own");
        (await Store.Rows.FindRowAsync(Notes, _company, row.Id, Token)).ShouldBeNull();
        (await Store.ReadAheadAsync(lease, null, 10, Token))[0].Job.NextChunk.ShouldBe(0);

        (await Store.ApplyAsync(
            lease, chunks,
            async (transaction, token) =>
            {
                await transaction.WriteRowsAsync(Notes, _company, [new(row, IsNew: true, 0)], token);
                await Should.ThrowAsync<Npgsql.PostgresException>(() => transaction.InSavepointAsync(
                    () => transaction.WriteRowsAsync(Notes, _company, [new(NewRow("r1"), IsNew: true, 0)], token), token));
                return await AllUpdated(chunks);
            }, Token)).ShouldNotBeEmpty();
        Values(await Store.Rows.FindRowAsync(Notes, _company, row.Id, Token)).ShouldBe(row.Values);
    }

    [Fact]
    public async Task Rows_are_updated_by_field_and_found_by_what_they_hold()
    {
        await SealAsync(_company);
        var lease = (await Store.ClaimLaneAsync(Lease, Token)).ShouldNotBeNull();
        var chunks = await Store.ReadAheadAsync(lease, null, 10, Token);
        var rows = Enumerable.Range(0, 6).Select(i => NewRow($"r{i}")).OrderBy(row => row.Id).Select((row, i) => row with { Values = [$"r{i}", .. row.Values[1..]] }).ToArray();
        var later = Time.GetUtcNow().AddMinutes(1);
        await Store.ApplyAsync(
            lease, chunks,
            async (transaction, token) =>
            {
                await transaction.WriteRowsAsync(Notes, _company, [.. rows.Select(row => new RowWrite(row, IsNew: true, 0))], token);
                (await transaction.FindByUniqueAsync(Notes, _company, Notes.Fields[0], ["r1", "none"], token))
                    .ShouldBe(new Dictionary<string, Guid> { ["r1"] = rows[1].Id });
                // As many sets of fields as rows: the statement for mixed sets. Fields outside a row's set must stay.
                RowWrite[] writes = [.. rows.Select((row, i) => new RowWrite(row with { Values = new string?[6], UpdatedAt = later }, IsNew: false, 1UL << i))];
                await transaction.WriteRowsAsync(Notes, _company, writes, token);
                var loaded = await transaction.LoadRowsAsync(Notes, _company, [rows[2].Id], 0b101, token);
                loaded[rows[2].Id].Values.ShouldBe(["r2", null, null, null, null, null]);
                return await AllUpdated(chunks);
            }, Token);

        for (var i = 0; i < rows.Length; i++)
            Values(await Store.Rows.FindRowAsync(Notes, _company, rows[i].Id, Token)).ShouldBe(rows[i].Values.Select((value, field) => field == i ? null : value));
        var found = await Store.Rows.ListRowsAsync(Notes, _company, new() { Equal = [(Notes.Fields[0], "r3")], UpdatedAfter = Time.GetUtcNow(), Limit = 10 }, Token);
        found.ShouldHaveSingleItem().Id.ShouldBe(rows[3].Id);
        (await Store.Rows.ListRowsAsync(Notes, _company, new() { Equal = [(Notes.Fields[0], "r\0")], Limit = 10 }, Token)).ShouldBeEmpty();
        (await Store.Rows.ListRowsAsync(Notes, _company, new() { Limit = 2, Offset = 1 }, Token)).Select(row => row.Id).ShouldBe([rows[1].Id, rows[2].Id]);
        (await Store.Rows.ListRowsAsync(Notes, Guid.CreateVersion7(), new() { Limit = 2 }, Token)).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_abandoned_or_idle_upload_is_removed_and_cannot_be_sealed()
    {
        var abandoned = NewJob(_company);
        var idle = NewJob(_company);
        foreach (var job in new[] { abandoned, idle })
            (await Store.AppendChunkAsync(_company, job.Id, ChunkOf(0, 0, "{}"), Token)).ShouldBeTrue();
        await Store.AbandonUploadAsync(_company, abandoned.Id, Token);
        (await QueryAsync<long>("SELECT count(*) FROM chunks")).ShouldBe(1);
        (await Store.SweepUploadsAsync(TimeSpan.FromHours(1), Token)).ShouldBe(0);
        (await Store.SweepUploadsAsync(TimeSpan.Zero, Token)).ShouldBe(1);
        (await QueryAsync<long>("SELECT (SELECT count(*) FROM chunks) + (SELECT count(*) FROM uploads)")).ShouldBe(0);
        (await Store.AppendChunkAsync(_company, idle.Id, ChunkOf(1, 1, "{}"), Token)).ShouldBeFalse();
        (await Store.SealJobAsync(abandoned, ChunkOf(1, 1, "{}"), Token)).ShouldBeOfType<SealResult.Swept>();
        (await QueryAsync<long>("SELECT (SELECT count(*) FROM chunks) + (SELECT count(*) FROM jobs)")).ShouldBe(0);
    }

    private ResourceRow NewRow(string reference) => new(
        Guid.CreateVersion7(), [reference, "0190a3c2-0000-7000-8000-00000000abcd", "2024-02-29", "-9223372036854775808", "false", "{\"é\":\"\\u0001\"}"],
        Time.GetUtcNow(), Time.GetUtcNow());

    private static string?[] Values(ResourceRow? row) => row.ShouldNotBeNull().Values;
}
