using System.Globalization;
using ApiJobs.Jobs;
using ApiJobs.Storage;
using Npgsql;

namespace ApiJobs.Stores.Tests.PostgreSql;

/// <summary>What lists and logs cost among many jobs and many workers.</summary>
public sealed class PostgreSqlListTests(PostgreSqlDatabases databases) : PostgreSqlStoreTest(databases)
{
    private readonly Guid _company = Guid.CreateVersion7();

    /// <summary>A query, and how many rows a page of it may read at the most.</summary>
    public static TheoryData<string, int> Queries => new()
    {
        { "all", 500 }, { "type", 500 }, { "processing", 50 }, { "failed", 50 }, { "rare", 3 * JobPage.MaxLookedAt },
    };

    [Theory]
    [MemberData(nameof(Queries))]
    public async Task A_page_reads_no_more_than_it_may_look_at_among_many_jobs(string name, int most)
    {
        const int jobs = 30_000;
        await Store.SealAsync(NewJob(_company, totalRecords: 1), ChunkOf(0, 0, "{}"), Token);
        // Behind the store's back, without statistics, and all of one company: a wrong plan would read them all.
        await ExecuteAsync(string.Create(CultureInfo.InvariantCulture, $"""
            ALTER TABLE jobs SET (autovacuum_enabled = false); ALTER TABLE job_marks SET (autovacuum_enabled = false);
            INSERT INTO jobs (company_id, id, type, lane, position, total_records, chunk_count, next_chunk, created_at, updated_at, start_time, end_time)
            SELECT '{_company}', gen_random_uuid(), 'note_bulk_create', '', -number, 1, 1, 1, now() - number * interval '1 s', now(), now(), now()
            FROM generate_series(1, {jobs}) number;
            INSERT INTO job_marks SELECT j.company_id, m.mark, j.created_at, j.id
            FROM jobs j CROSS JOIN (VALUES (0), ({JobMarks.OfType("note_bulk_create")})) m(mark) WHERE j.position < 0
            """));
        var query = name switch
        {
            "all" => new JobQuery { Limit = 100 },
            "type" => new JobQuery { Limit = 100, Type = "note_bulk_create" },
            "processing" => new JobQuery { Status = ApiJobStatus.Processing },
            "failed" => new JobQuery { Status = ApiJobStatus.Failed },
            _ => new JobQuery { HasFailed = false, DryRun = false, Type = "note_bulk_create", Status = ApiJobStatus.Pending },
        };
        var before = await CountReadAfterAsync(Store);

        const int pages = 10;
        var store = OpenStore();
        for (var page = 0; page < pages; page++)
            await store.ListJobsAsync(_company, query, Token);

        var read = await CountReadAfterAsync(store) - before;
        read.ShouldBeLessThan(pages * most);
    }

    [Fact]
    public async Task An_ill_lane_tells_nothing_while_somebody_else_changes_the_job()
    {
        var job = NewJob(_company, totalRecords: 1);
        await Store.SealAsync(job, ChunkOf(0, 0, "{}"), Token);
        var lease = (await Store.ClaimLaneAsync(Lease, Token)).ShouldNotBeNull();
        var chunks = await Store.ReadAheadAsync(lease, null, 10, Token);

        // Waiting for the job here would be waiting for oneself; applying waits for the lane at its end.
        await Store.ApplyAsync(lease, chunks, async (_, _) =>
        {
            await Store.ReleaseLaneAsync(lease, new LaneFault("Secret.", Lease) { Log = new(JobLogEvents.LaneIll, "") }, Token).WaitAsync(TimeSpan.FromMinutes(1), Token);
            return await AllUpdated(chunks);
        }, Token);

        (await Store.ReadLogAsync(_company, job.Id, Token)).ShouldBeEmpty();
        (await Store.FindJobAsync(_company, job.Id, Token)).ShouldNotBeNull().HasEnded.ShouldBeTrue();
    }

    // What a session read is counted when it ends, at the latest.
    private async Task<decimal> CountReadAfterAsync(OpenedStore store)
    {
        const string others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'";
        await store.DisposeAsync();
        do
        {
            NpgsqlConnection.ClearAllPools();
        }
        while (await QueryAsync<long>(others) > 0);
        return await QueryAsync<decimal>("SELECT sum(idx_tup_fetch + seq_tup_read) FROM pg_stat_user_tables WHERE relname IN ('jobs', 'job_marks')");
    }
}
