using System.Globalization;
using ApiJobs.Jobs;
using ApiJobs.Storage;
using Npgsql;

namespace ApiJobs.Stores.Tests.PostgreSql;

/// <summary>The database's clock: set back, and in the eyes of nodes whose own is wrong.</summary>
public sealed class PostgreSqlClockTests(PostgreSqlDatabases databases) : PostgreSqlStoreTest(databases)
{
    // As if all that was written had been written before the clock was set back by a day.
    private const string SetClockBack = """
        UPDATE lanes SET lease_until = lease_until + interval '1 day', served_at = served_at + interval '1 day', not_before = not_before + interval '1 day';
        UPDATE lane_tails SET last_created_at = last_created_at + interval '1 day';
        UPDATE jobs SET created_at = created_at + interval '1 day', updated_at = updated_at + interval '1 day', start_time = start_time + interval '1 day'
        """;

    private readonly Guid _company = Guid.CreateVersion7(), _other = Guid.CreateVersion7();

    [Fact]
    public async Task A_dead_holders_lane_is_claimed_although_the_clock_was_set_back_since()
    {
        await SealAsync(_company);
        var dead = (await Store.ClaimLaneAsync(Lease, Token)).ShouldNotBeNull();
        await ExecuteAsync(SetClockBack);

        var heir = (await OpenStore().ClaimLaneAsync(Lease, Token)).ShouldNotBeNull();
        heir.CompanyId.ShouldBe(_company);
        (await Store.RenewLeaseAsync(dead, Lease, Token)).ShouldBeFalse();
    }

    [Fact]
    public async Task A_lane_that_is_ill_is_tried_again_although_the_clock_was_set_back_since()
    {
        await SealAsync(_company);
        var lease = (await Store.ClaimLaneAsync(Lease, Token)).ShouldNotBeNull();
        await Store.ReleaseLaneAsync(lease, new LaneFault("It \0 cannot go on.", TimeSpan.FromMinutes(1)), Token);
        (await Store.ClaimLaneAsync(Lease, Token)).ShouldBeNull();
        (await Store.IsLaneWaitingAsync(Token)).ShouldBeFalse();
        await ExecuteAsync(SetClockBack);

        (await Store.IsLaneWaitingAsync(Token)).ShouldBeTrue();
        (await Store.ClaimLaneAsync(Lease, Token)).ShouldNotBeNull().Faults.ShouldBe(1);
    }

    [Fact]
    public async Task No_time_of_a_job_or_a_row_goes_back()
    {
        var first = await SealAsync(_company);
        await ExecuteAsync(SetClockBack);

        var second = await SealAsync(_company);
        second.CreatedAt.ShouldBe(first.CreatedAt.AddDays(1));
        var lease = (await Store.ClaimLaneAsync(Lease, Token)).ShouldNotBeNull();
        var chunks = await Store.ReadAheadAsync(lease, null, 10, Token);
        foreach (var job in await Store.ApplyAsync(lease, chunks, (_, _) => AllUpdated(chunks), Token))
        {
            job.ShouldBe(await Store.FindJobAsync(_company, job.Id, Token));
            job.StartTime.ShouldBe(job.CreatedAt);
            job.EndTime!.Value.ShouldBeGreaterThanOrEqualTo(job.StartTime!.Value);
            job.UpdatedAt.ShouldBe(job.EndTime.Value);
        }
    }

    [Fact]
    public async Task A_node_forty_days_ahead_removes_nothing_that_is_to_be_kept()
    {
        var job = await SealAsync(_company);
        var lease = (await Store.ClaimLaneAsync(Lease, Token)).ShouldNotBeNull();
        (await ApplyAsync(lease, await Store.ReadAheadAsync(lease, null, 10, Token))).ShouldBeTrue();
        Time.Advance(TimeSpan.FromDays(40));

        (await Store.RemoveEndedAsync(_company, TimeSpan.FromDays(30), EndedPart.Jobs, Token)).ShouldBeFalse();
        (await Store.FindJobAsync(_company, job.Id, Token)).ShouldNotBeNull().Status.ShouldBe(ApiJobStatus.Completed);
        (await Store.ReadResultsAsync(_company, job.Id, 0, 10, Token)).Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_claim_costs_the_same_after_thousands_of_turns_while_a_long_snapshot_is_open()
    {
        const int turns = 3_000, measured = 100;
        foreach (var company in new[] { _company, _other })
            await SealAsync(company);
        await using var looking = new NpgsqlConnection(ConnectionString);
        await looking.OpenAsync(Token);
        await using var snapshot = await looking.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, Token);
        await using (var look = new NpgsqlCommand("SELECT count(*) FROM jobs", looking, snapshot))
            await look.ExecuteScalarAsync(Token);

        var early = await ReadByClaimsAsync(measured);
        await ServeInTurnAsync(Store, turns);
        var late = await ReadByClaimsAsync(measured);

        // Looking from the front once a second reads them all; the others do not.
        late.ShouldBeLessThan(early + (turns * 20), string.Create(CultureInfo.InvariantCulture, $"{measured} claims read {early} entries of the claim's index at first, and {late} later."));
    }

    private async Task<long> ReadByClaimsAsync(int claims)
    {
        const string read = "SELECT idx_tup_read FROM pg_stat_user_indexes WHERE indexrelname = 'lanes_with_work'";
        var before = await QueryAsync<long>(read);
        await using (var store = OpenStore())
            await ServeInTurnAsync(store, claims);
        // What a session read is counted when it ends, at the latest.
        while (await QueryAsync<long>("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'apijobs' AND backend_start > now() - interval '1 hour' AND state = 'active'") > 0)
            await Task.Yield();
        return await QueryAsync<long>(read) - before;
    }

    private static async Task ServeInTurnAsync(OpenedStore store, int turns)
    {
        for (var turn = 0; turn < turns; turn++)
            await store.ReleaseLaneAsync((await store.ClaimLaneAsync(Lease, Token)).ShouldNotBeNull(), Token);
    }
}
