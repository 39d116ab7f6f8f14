using ApiJobs.PostgreSql;
using ApiJobs.Resources;
using Npgsql;

namespace ApiJobs.Stores.Tests.PostgreSql;

/// <summary>Starting on a database that is in use.</summary>
public sealed class PostgreSqlUpgradeTests(PostgreSqlDatabases databases) : PostgreSqlStoreTest(databases)
{
    // Only a store that hangs ever waits this long.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_table_that_is_in_use_is_changed_when_it_is_free_and_keeps_nobody_else_waiting_meanwhile()
    {
        var more = new Resource("note", "Note", "notes", [.. Notes.Fields, Field.Text("more", 10)]);
        var log = new WarningLog();
        await using var store = new PostgreSqlStore(
            new() { ConnectionString = $"{ConnectionString};Command Timeout=1" }, new([more]), Time, log);
        await using var user = new NpgsqlConnection(ConnectionString);
        await user.OpenAsync(Token);
        await using var transaction = await user.BeginTransactionAsync(Token);
        await using (var use = new NpgsqlCommand("SELECT count(*) FROM note", user, transaction))
            await use.ExecuteScalarAsync(Token);

        var initializing = store.Upkeep.InitializeAsync(Token);
        while (!log.Warnings.Any(warning => warning.Contains("in use", StringComparison.Ordinal)))
        {
            initializing.IsFaulted.ShouldBeFalse();
            await Task.Yield();
        }

        (await QueryAsync<long>("SELECT count(*) FROM note")).ShouldBe(0);
        await transaction.CommitAsync(Token);

        await initializing.WaitAsync(Patience, Token);
        (await QueryAsync<long>("SELECT count(*) FROM information_schema.columns WHERE table_name = 'note' AND column_name = 'more'")).ShouldBe(1);
    }

    [Fact]
    public async Task A_script_that_reads_the_jobs_of_all_companies_leaves_them_as_confined_as_they_were()
    {
        const string IsForced = "SELECT relforcerowsecurity FROM pg_class WHERE oid = 'jobs'::regclass";
        (await QueryAsync<bool>(IsForced)).ShouldBeTrue();
        await ExecuteAsync("""
            ALTER TABLE lanes DROP COLUMN ended_records, DROP COLUMN ended_bytes;
            ALTER TABLE lane_tails DROP COLUMN sealed_records, DROP COLUMN sealed_bytes;
            DELETE FROM schema_versions WHERE scriptname = '0008_backlog.sql';
            """);

        await OpenStore().InitializeAsync(Token);

        (await QueryAsync<bool>(IsForced)).ShouldBeTrue();
        (await QueryAsync<long>("SELECT count(*) FROM schema_versions WHERE scriptname = '0008_backlog.sql'")).ShouldBe(1);
    }

    [Fact]
    public async Task An_owner_whom_the_policies_bind_upgrades_the_jobs_of_all_companies()
    {
        // A superuser, as the other tests are, sees all rows whatever the policies say.
        var user = $"owner_{Guid.CreateVersion7():N}";
        await ExecuteAsync($"CREATE ROLE {user} LOGIN PASSWORD 'x'; CREATE SCHEMA AUTHORIZATION {user}");
        var connection = new NpgsqlConnectionStringBuilder(ConnectionString) { Username = user, Password = "x", SearchPath = user }.ConnectionString;
        Guid[] companies = [Guid.CreateVersion7(), Guid.CreateVersion7()];
        await using (var before = new OpenedStore(new(new() { ConnectionString = connection }, new([Notes]), Time, new WarningLog())))
        {
            await before.InitializeAsync(Token);
            foreach (var company in companies)
                await SealAsync(company, before);
        }

        await ExecuteAsync($"""
            SET search_path = {user};
            DROP TABLE job_marks;
            ALTER TABLE lanes DROP COLUMN ended_records, DROP COLUMN ended_bytes;
            ALTER TABLE lane_tails DROP COLUMN sealed_records, DROP COLUMN sealed_bytes;
            DELETE FROM schema_versions WHERE scriptname IN ('0003_job_list.sql', '0008_backlog.sql');
            """);
        await using var store = new OpenedStore(new(new() { ConnectionString = connection }, new([Notes]), Time, new WarningLog()));
        await store.InitializeAsync(Token);

        foreach (var company in companies)
        {
            (await store.ListJobsAsync(company, new(), Token)).Jobs.Count.ShouldBe(1);
            (await store.ReadBacklogAsync(company, Token)).Records.ShouldBe(1);
        }

        (await QueryAsync<long>($"SELECT count(*) FROM pg_class WHERE relnamespace = '{user}'::regnamespace AND relkind = 'r' AND relrowsecurity AND NOT relforcerowsecurity")).ShouldBe(0);
    }

    [Fact]
    public async Task What_an_older_node_has_not_counted_is_put_right_when_the_lane_runs_empty()
    {
        var company = Guid.CreateVersion7();
        await SealAsync(company);
        // As if a node of the version before had sealed it: the end will be counted, the beginning was not.
        await ExecuteAsync("UPDATE lane_tails SET sealed_records = 0, sealed_bytes = 0");
        (await Store.ReadBacklogAsync(company, Token)).ShouldBe(default);
        var lease = (await Store.ClaimLaneAsync("node", TimeSpan.FromMinutes(1), Token)).ShouldNotBeNull();
        await ApplyAsync(lease, await Store.ReadAheadAsync(lease, null, 10, Token));
        await Store.ReleaseLaneAsync(lease, fault: null, Token);

        await SealAsync(company);

        (await Store.ReadBacklogAsync(company, Token)).Records.ShouldBe(1);
    }

    [Fact]
    public async Task A_node_waits_for_another_that_upgrades_for_as_long_as_it_takes()
    {
        await using var upgrading = new NpgsqlConnection(ConnectionString);
        await upgrading.OpenAsync(Token);
        await using var transaction = await upgrading.BeginTransactionAsync(Token);
        await using (var command = new NpgsqlCommand($"SELECT pg_advisory_xact_lock({0x4170694A6F6273})", upgrading, transaction))
            await command.ExecuteNonQueryAsync(Token);
        await using var store = OpenStore(options => options.ConnectionString += ";Command Timeout=1");

        var initializing = store.InitializeAsync(Token);
        await UntilSomebodyWaitsForALockAsync();
        // Longer than the command time-out of its connection.
        await QueryAsync<string>("SELECT pg_sleep(3)::text");
        initializing.IsCompleted.ShouldBeFalse();
        await transaction.CommitAsync(Token);

        await initializing.WaitAsync(Patience, Token);
    }
}
