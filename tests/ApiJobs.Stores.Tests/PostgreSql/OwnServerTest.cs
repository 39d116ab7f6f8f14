using ApiJobs.Testing;

namespace ApiJobs.Stores.Tests.PostgreSql;

/// <summary>A store on a server of the test's own, to be stopped and set as the test likes.</summary>
public abstract class OwnServerTest(PostgreSqlDatabases databases) : PostgreSqlStoreTest(databases)
{
    /// <summary>The backends whose commits wait for a standby.</summary>
    protected const string Committing = "FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'SyncRep'";

    protected PostgreSqlServer Server { get; private set; } = null!;

    protected override async Task<string> CreateDatabaseAsync()
    {
        Server = await PostgreSqlServer.StartAsync();
        return await Server.CreateDatabaseAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        if (Server is not null)
            await Server.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>Has every commit wait for a standby that there is not; or lets them go on.</summary>
    protected async Task HoldCommitsAsync(bool isHeld)
    {
        await ExecuteAsync($"ALTER SYSTEM SET synchronous_standby_names = '{(isHeld ? "nosuch" : "")}'");
        await ExecuteAsync("SELECT pg_reload_conf()");
        while (isHeld && !await IsHeldAsync())
            await Task.Yield();
    }

    // Asked of a commit, because it is another process that tells those that commit, and not at once.
    private async Task<bool> IsHeldAsync()
    {
        var committing = ExecuteAsync("SELECT pg_logical_emit_message(true, 'test', '')");
        while (!committing.IsCompleted)
        {
            if (await QueryAsync<bool>($"SELECT COALESCE(bool_or(pg_cancel_backend(pid)), false) {Committing}"))
            {
                await committing;
                return true;
            }
        }

        return false;
    }
}
