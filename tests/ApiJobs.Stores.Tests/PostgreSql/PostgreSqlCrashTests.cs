using ApiJobs.Storage;

namespace ApiJobs.Stores.Tests.PostgreSql;

/// <summary>A database that goes away and comes back, under a store that stays.</summary>
public sealed class PostgreSqlCrashTests(PostgreSqlDatabases databases) : OwnServerTest(databases)
{
    [Fact]
    public async Task What_was_acknowledged_survives_and_the_store_serves_again()
    {
        var company = Guid.CreateVersion7();
        var job = await SealAsync(company);
        var lease = (await Store.ClaimLaneAsync(TimeSpan.Zero, Token)).ShouldNotBeNull();
        var chunks = await Store.ReadAheadAsync(lease, null, 10, Token);

        // The database dies in the middle of a chunk: that is no fault of the handler's.
        var fault = await Should.ThrowAsync<Exception>(Store.ApplyAsync(
            lease, chunks,
            async (transaction, token) =>
            {
                await Server.StopImmediateAsync();
                await transaction.LoadRowsAsync(Notes, company, [company], 0, token);
                return await AllUpdated(chunks);
            }, Token));
        Store.Classify(fault).ShouldBe(StoreFault.Transient);
        await Should.ThrowAsync<StoreUnavailableException>(SealAsync(company));
        await Should.ThrowAsync<StoreUnavailableException>(Store.PingAsync(Token));
        await Should.ThrowAsync<StoreUnavailableException>(Store.ClaimLaneAsync(Lease, Token));

        await Server.StartAgainAsync();
        (await SealAsync(company)).Position.ShouldBe(2);
        (await Store.FindJobAsync(company, job.Id, Token)).ShouldBe(job);
        lease = (await Store.ClaimLaneAsync(Lease, Token)).ShouldNotBeNull();
        (await ApplyAsync(lease, await Store.ReadAheadAsync(lease, null, 1, Token))).ShouldBeTrue();
    }

    [Fact]
    public async Task A_seal_on_a_pool_of_connections_that_a_restart_has_cut_succeeds()
    {
        var company = Guid.CreateVersion7();
        await SealAsync(company);
        await Server.StopImmediateAsync();
        await Server.StartAgainAsync();
        (await SealAsync(company)).Position.ShouldBe(2);
    }
}
