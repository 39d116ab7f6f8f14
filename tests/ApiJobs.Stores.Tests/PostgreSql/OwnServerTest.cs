using ApiJobs.Testing;

namespace ApiJobs.Stores.Tests.PostgreSql;

/// <summary>A store on a server of the test's own, to be stopped and set as the test likes.</summary>
public abstract class OwnServerTest(PostgreSqlDatabases databases) : PostgreSqlStoreTest(databases)
{
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
        while (await QueryAsync<string>("SELECT current_setting('synchronous_standby_names')") != (isHeld ? "nosuch" : ""))
            await Task.Yield();
    }
}
