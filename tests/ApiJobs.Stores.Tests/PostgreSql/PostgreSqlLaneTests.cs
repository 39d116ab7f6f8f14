using ApiJobs.PostgreSql.Lanes;
using ApiJobs.Storage;
using Npgsql;

namespace ApiJobs.Stores.Tests.PostgreSql;

/// <summary>Claiming among many lanes, waking up, and taking over.</summary>
public sealed class PostgreSqlLaneTests(PostgreSqlDatabases databases) : PostgreSqlStoreTest(databases)
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private readonly Guid _company = Guid.CreateVersion7();

    [Fact]
    public async Task The_claim_reads_lanes_with_work_only()
    {
        await ExecuteAsync("""
            INSERT INTO lanes (company_id, lane) SELECT gen_random_uuid(), '' FROM generate_series(1, 20000);
            INSERT INTO jobs (company_id, id, type, lane, position, total_records, chunk_count, next_chunk, created_at, updated_at, end_time)
            SELECT company_id, gen_random_uuid(), 't', '', 1, 1, 1, 1, now(), now(), now() FROM lanes;
            """);
        await SealAsync(_company);
        await ExecuteAsync("VACUUM ANALYZE");

        var plan = await ExplainClaimAsync();
        plan.ShouldContain("Index Scan using lanes_with_work");
        plan.ShouldNotContain("Seq Scan");
        plan.ShouldNotContain("jobs");
        (await Store.ClaimLaneAsync(Lease, Token)).ShouldNotBeNull().CompanyId.ShouldBe(_company);
    }

    [Fact]
    public async Task Another_nodes_work_wakes_a_waiting_node_whose_clock_stands_still()
    {
        var listening = OpenStore();
        var claimed = ClaimWhenWokenAsync(listening);
        await SealAsync(_company);
        (await claimed.WaitAsync(TimeSpan.FromMinutes(1), Token)).CompanyId.ShouldBe(_company);
    }

    [Fact]
    public async Task A_node_whose_listening_connection_was_cut_listens_again()
    {
        var listening = OpenStore();
        var claimed = ClaimWhenWokenAsync(listening);
        const string listeners = "FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'";
        while (await QueryAsync<long>($"SELECT count(*) {listeners}") == 0)
            await Task.Yield();
        await ExecuteAsync($"SELECT pg_terminate_backend(pid) {listeners}");
        await SealAsync(_company);
        (await claimed.WaitAsync(TimeSpan.FromMinutes(1), Token)).CompanyId.ShouldBe(_company);
    }

    [Fact]
    public async Task Without_listening_the_work_is_found_when_the_wait_is_over()
    {
        var deaf = OpenStore(options => options.Listen = false);
        (await deaf.ClaimLaneAsync(Lease, Token)).ShouldBeNull();
        var waiting = deaf.WaitForWorkAsync(Hour, Token);
        await SealAsync(_company);
        waiting.IsCompleted.ShouldBeFalse();

        Time.Advance(Hour);
        await waiting;
        (await deaf.ClaimLaneAsync(Lease, Token)).ShouldNotBeNull();
    }

    [Fact]
    public async Task A_lease_lasts_by_the_databases_clock_whatever_the_nodes_clock_says()
    {
        await SealAsync(_company);
        (await Store.ClaimLaneAsync(Lease, Token)).ShouldNotBeNull();
        Time.Advance(TimeSpan.FromDays(3));
        (await Store.ClaimLaneAsync(Lease, Token)).ShouldBeNull();
        (await Store.IsLaneWaitingAsync(Token)).ShouldBeFalse();

        await ExecuteAsync("UPDATE lanes SET lease_until = clock_timestamp()");
        (await Store.IsLaneWaitingAsync(Token)).ShouldBeTrue();
        (await Store.ClaimLaneAsync(Lease, Token)).ShouldNotBeNull();
    }

    [Fact]
    public async Task A_worker_that_stalls_in_its_transaction_is_rolled_back_and_its_chunk_is_applied_by_another()
    {
        var job = await SealAsync(_company);
        var stalling = OpenStore(options => options.IdleTransactionTimeout = TimeSpan.FromMilliseconds(300));
        var lost = (await stalling.ClaimLaneAsync(TimeSpan.Zero, Token)).ShouldNotBeNull();
        var chunks = await stalling.ReadAheadAsync(lost, null, 10, Token);
        var stalled = new TaskCompletionSource();
        var takenOver = new TaskCompletionSource();
        var stalledApply = stalling.ApplyAsync(
            lost, chunks,
            async (transaction, token) =>
            {
                stalled.SetResult();
                await takenOver.Task;
                await transaction.WriteRowsAsync(Notes, _company, [new(new(Guid.CreateVersion7(), new string?[6], default, default), IsNew: true, 0)], token);
                return await AllUpdated(chunks);
            }, Token);

        await stalled.Task;
        var lease = (await Store.ClaimLaneAsync(Lease, Token)).ShouldNotBeNull();
        (await ApplyAsync(lease, await Store.ReadAheadAsync(lease, null, 10, Token))).ShouldBeTrue();
        takenOver.SetResult();

        var fault = await Should.ThrowAsync<Exception>(stalledApply);
        stalling.Classify(fault).ShouldBe(StoreFault.TooSlow);
        (await Store.FindJobAsync(_company, job.Id, Token)).ShouldNotBeNull().Counts.Updated.ShouldBe(1);
        (await QueryAsync<long>("SELECT count(*) FROM note")).ShouldBe(0);
    }

    private static async Task<LaneLease> ClaimWhenWokenAsync(OpenedStore store)
    {
        while (true)
        {
            if (await store.ClaimLaneAsync(Lease, Token) is { } lease)
                return lease;
            await store.WaitForWorkAsync(Hour, Token);
        }
    }

    private async Task<string> ExplainClaimAsync()
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(Token);
        await using var command = new NpgsqlCommand($"EXPLAIN {LaneClaims.ClaimSql}", connection)
        {
            Parameters = { new() { Value = Guid.CreateVersion7() }, new() { Value = Lease }, new() { Value = "node" }, new() { Value = DateTime.MinValue, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.TimestampTz } },
        };
        await using var reader = await command.ExecuteReaderAsync(Token);
        var plan = new List<string>();
        while (await reader.ReadAsync(Token))
            plan.Add(reader.GetString(0));
        return string.Join('\n', plan);
    }
}
