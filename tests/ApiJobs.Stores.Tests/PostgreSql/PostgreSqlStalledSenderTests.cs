using ApiJobs.Storage;
using Npgsql;

namespace ApiJobs.Stores.Tests.PostgreSql;

/// <summary>Nodes that stop in the middle of what they send, and leave their locks behind.</summary>
public sealed class PostgreSqlStalledSenderTests(PostgreSqlDatabases databases) : PostgreSqlStoreTest(databases)
{
    // Only a store that hangs ever waits this long.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Guid _company = Guid.CreateVersion7();

    [Fact]
    public async Task A_node_that_stops_while_it_sends_a_chunk_keeps_nobody_of_its_company_waiting()
    {
        var server = new NpgsqlConnectionStringBuilder(ConnectionString);
        await using var proxy = new StallingProxy(server.Port);
        var stalling = OpenStore(options => options.ConnectionString = new NpgsqlConnectionStringBuilder(ConnectionString)
        {
            Port = proxy.Port,
            CommandTimeout = 5,
        }.ConnectionString);
        // Prepared, and the lane made.
        await SealAsync(_company, stalling);
        proxy.StallAfter(500_000);
        var stalled = stalling.SealAsync(NewJob(_company), ChunkOf(0, 0, new string('x', 2_000_000)), Token);
        await proxy.Stalled;
        // The server has read what came, and waits for the rest.
        while (await QueryAsync<long>("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'apijobs' AND state = 'active' AND wait_event = 'ClientRead'") == 0)
            stalled.IsCompleted.ShouldBeFalse();

        (await SealAsync(_company).WaitAsync(Patience, Token)).Position.ShouldBe(2);

        await Should.ThrowAsync<StoreUnavailableException>(stalled.WaitAsync(Patience, Token));
    }

    [Fact]
    public async Task A_company_whose_lane_somebody_keeps_locked_fails_soon_and_keeps_no_other_company_waiting()
    {
        await SealAsync(_company);
        await using var stopped = new NpgsqlConnection(ConnectionString);
        await stopped.OpenAsync(Token);
        await using var transaction = await stopped.BeginTransactionAsync(Token);
        await using (var command = new NpgsqlCommand("SELECT 1 FROM lane_tails FOR UPDATE", stopped, transaction))
            await command.ExecuteNonQueryAsync(Token);

        var keptWaiting = SealAsync(_company);
        // Enough companies that some are written by the writer that waits.
        var others = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => SealAsync(Guid.CreateVersion7()))).WaitAsync(Patience, Token);
        others.ShouldAllBe(job => job.Position == 1);
        await Should.ThrowAsync<StoreUnavailableException>(keptWaiting.WaitAsync(Patience, Token));

        // From now on it waits little, and together with nobody.
        var again = SealAsync(_company);
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => SealAsync(Guid.CreateVersion7()))).WaitAsync(Patience, Token);
        await Should.ThrowAsync<StoreUnavailableException>(again.WaitAsync(Patience, Token));
        await transaction.RollbackAsync(Token);
        (await SealAsync(_company)).Position.ShouldBe(2);
    }

    [Fact]
    public async Task A_direct_connections_server_notices_soon_that_a_node_has_vanished()
    {
        await SealAsync(_company);
        var lease = (await Store.ClaimLaneAsync(Lease, Token)).ShouldNotBeNull();
        var chunks = await Store.ReadAheadAsync(lease, null, 10, Token);
        var settings = "";
        await Store.ApplyAsync(
            lease, chunks,
            async (transaction, token) =>
            {
                await using var command = transaction.Connection.CreateCommand();
                command.CommandText = "SELECT concat_ws(' ', current_setting('tcp_keepalives_idle'), current_setting('tcp_user_timeout'))";
                command.Transaction = transaction.Transaction;
                settings = (string)(await command.ExecuteScalarAsync(token))!;
                return await AllUpdated(chunks);
            },
            Token);
        settings.ShouldBe("15 30000");
    }
}
