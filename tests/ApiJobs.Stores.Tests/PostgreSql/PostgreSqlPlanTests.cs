using System.Globalization;
using ApiJobs.PostgreSql;
using ApiJobs.Resources;
using ApiJobs.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace ApiJobs.Stores.Tests.PostgreSql;

/// <summary>Which statements are prepared, and that their plans stay right however their tables grow.</summary>
public sealed class PostgreSqlPlanTests(PostgreSqlDatabases databases) : PostgreSqlStoreTest(databases)
{
    // The pool hands out a connection after the other.
    private const int RoundsToPrepare = 10;

    private readonly Guid _company = Guid.CreateVersion7();

    [Fact]
    public async Task Plans_that_were_made_on_empty_tables_look_rows_up_by_key_when_the_tables_have_grown()
    {
        const int grown = 50_000, rounds = 10;
        // Statistics would have the plans made anew, sooner or later. They must be right without.
        await ExecuteAsync("ALTER TABLE jobs SET (autovacuum_enabled = false); ALTER TABLE chunks SET (autovacuum_enabled = false)");
        for (var round = 0; round < RoundsToPrepare; round++)
            await WorkOffAsync(Store);

        await ExecuteAsync(string.Create(CultureInfo.InvariantCulture, $"""
            INSERT INTO jobs (company_id, id, type, lane, position, total_records, chunk_count, next_chunk, updated_count, created_at, updated_at, start_time, end_time)
            SELECT '{_company}', gen_random_uuid(), 'note_bulk_create', '', number, 1, 1, 1, 1, now(), now(), now(), now() FROM generate_series(1000, {1000 + grown - 1}) number;
            INSERT INTO chunks (company_id, job_id, chunk_index, first_record, record_count, payload)
            SELECT company_id, id, 0, 0, 1, '' FROM jobs WHERE position >= 1000;
            UPDATE lane_tails SET next_position = {1000 + grown};
            UPDATE lanes SET head_position = {1000 + grown};
            """));
        for (var round = 0; round < rounds; round++)
            await WorkOffAsync(Store);

        // What a session read is counted when it ends, at the latest.
        await Store.DisposeAsync();
        await UntilNobodyElseIsConnectedAsync();
        var read = await QueryAsync<decimal>("SELECT sum(idx_tup_fetch + seq_tup_read) FROM pg_stat_user_tables WHERE relname IN ('jobs', 'chunks')");
        // Growing read each of the jobs once. A wrong plan reads them all in every round, and in several statements of it.
        read.ShouldBeLessThan(grown * 3);
    }

    [Fact]
    public async Task Rows_of_a_company_that_the_statistics_do_not_know_are_looked_up_by_key()
    {
        const int known = 20_000, imported = 20_000, keys = 50;
        // Like the CRM's cases: a unique field, and one that lists filter by, whose index ends with the id.
        var cases = new Resource("plan_case", "Case", "plan-cases", [Field.Text("ref", 100) with { IsUnique = true }, Field.Text("postcode", 10) with { IsFilter = true }]);
        await using var store = new OpenedStore(new(new PostgreSqlStoreOptions { ConnectionString = ConnectionString }, new([cases]), Time, NullLogger<PostgreSqlStore>.Instance));
        await store.InitializeAsync(Token);
        await ExecuteAsync($"ALTER TABLE plan_case SET (autovacuum_enabled = false); {RowsOf(Guid.CreateVersion7(), known)}; ANALYZE plan_case; {RowsOf(_company, imported)}; SELECT pg_stat_force_next_flush()");
        var readBefore = await ReadAsync();

        await WorkOffAsync(store, async transaction =>
        {
            var rows = await transaction.FindByUniqueAsync(
                cases, _company, cases.Fields[0], [.. Enumerable.Range(0, keys).Select(number => string.Create(CultureInfo.InvariantCulture, $"r{number * 300}"))], Token);
            rows.Count.ShouldBe(keys - 1, "all but the first");
            (await transaction.LoadRowsAsync(cases, _company, rows.Values, cases.AllFields, Token)).Count.ShouldBe(rows.Count);
        });

        // What a session read is counted when it ends, at the latest.
        await store.DisposeAsync();
        await Store.DisposeAsync();
        await UntilNobodyElseIsConnectedAsync();
        // Blocks: three of the index and one of the table a key, twice. All rows of the company for each key are some hundred.
        (await ReadAsync() - readBefore).ShouldBeLessThan(keys * 2 * 8);

        static string RowsOf(Guid company, int count) => string.Create(CultureInfo.InvariantCulture, $"""
            INSERT INTO plan_case (company_id, id, ref, created_at, updated_at)
            SELECT '{company}', gen_random_uuid(), 'r' || number, now(), now() FROM generate_series(1, {count}) number
            """);

        Task<decimal> ReadAsync() => QueryAsync<decimal>("""
            SELECT sum(heap_blks_read + heap_blks_hit + idx_blks_read + idx_blks_hit) FROM pg_statio_user_tables WHERE relname = 'plan_case'
            """);
    }

    [Fact]
    public async Task Straight_at_the_server_statements_are_prepared() =>
        (await CountPreparedAsync(Store)).ShouldBeGreaterThan(0);

    [Fact]
    public async Task Behind_a_pooler_in_transaction_mode_nothing_is_prepared_without_being_told()
    {
        await using var pooler = await PgBouncer.StartAsync(ConnectionString, poolSize: 2);
        var store = OpenStore(options => options.ConnectionString = pooler.Route(ConnectionString));
        (await CountPreparedAsync(store)).ShouldBe(0);
        await store.DisposeAsync();
    }

    [Fact]
    public async Task The_setting_has_the_last_word_about_preparing()
    {
        var store = OpenStore(options => options.PrepareStatements = false);
        (await CountPreparedAsync(store)).ShouldBe(0);
    }

    private async Task UntilNobodyElseIsConnectedAsync()
    {
        const string others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
        while (await QueryAsync<long>(others) > 0)
            NpgsqlConnection.ClearAllPools();
    }

    private async Task<long> CountPreparedAsync(OpenedStore store)
    {
        var prepared = 0L;
        for (var round = 0; round < RoundsToPrepare; round++)
        {
            await WorkOffAsync(store, async transaction =>
            {
                await using var command = transaction.Connection.CreateCommand();
                command.CommandText = "SELECT count(*) FROM pg_prepared_statements WHERE NOT from_sql";
                command.Transaction = transaction.Transaction;
                prepared = (long)(await command.ExecuteScalarAsync(Token))!;
            });
        }

        return prepared;
    }

    /// <summary>Brings one job the whole way: accepted in two chunks, applied and asked for.</summary>
    private async Task WorkOffAsync(OpenedStore store, Func<IChunkTransaction, Task>? work = null)
    {
        var job = NewJob(_company, totalRecords: 2);
        (await store.AppendChunkAsync(_company, job.Id, ChunkOf(0, 0, "{}"), Token)).ShouldBeTrue();
        await store.SealAsync(job, ChunkOf(1, 1, "{}"), Token);
        var lease = (await store.ClaimLaneAsync(Lease, Token)).ShouldNotBeNull();
        var chunks = await store.ReadAheadAsync(lease, null, 10, Token);
        chunks.Count.ShouldBe(2);
        (await store.ApplyAsync(
            lease, chunks,
            async (transaction, _) =>
            {
                if (work is not null)
                    await work(transaction);
                return await AllUpdated(chunks);
            }, Token)).ShouldNotBeEmpty();
        await store.ReleaseLaneAsync(lease, Token);
        (await store.FindJobAsync(_company, job.Id, Token)).ShouldNotBeNull().EndTime.ShouldNotBeNull();
        (await store.ReadResultsAsync(_company, job.Id, 0, 10, Token)).Count.ShouldBe(2);
        (await store.ReadChangedAsync([new(_company, job.Id, 0)], Token)).ShouldHaveSingleItem().EndTime.ShouldNotBeNull();
    }
}
