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
