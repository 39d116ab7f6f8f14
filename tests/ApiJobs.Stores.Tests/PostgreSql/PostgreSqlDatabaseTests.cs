using ApiJobs.PostgreSql;
using ApiJobs.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace ApiJobs.Stores.Tests.PostgreSql;

/// <summary>Databases with other defaults than PostgreSQL's own, and databases that cannot be written to.</summary>
public sealed class PostgreSqlDatabaseTests(PostgreSqlDatabases databases) : PostgreSqlStoreTest(databases)
{
    private readonly Guid _company = Guid.CreateVersion7();

    private string Database => new NpgsqlConnectionStringBuilder(ConnectionString).Database!;

    [Theory]
    [InlineData("repeatable read")]
    [InlineData("serializable")]
    public async Task What_is_sealed_while_a_lane_is_given_back_is_found_whatever_the_default_isolation(string level)
    {
        await ExecuteAsync($"ALTER DATABASE \"{Database}\" SET default_transaction_isolation = '{level}'");
        var store = OpenStore();
        await SealAsync(_company, store);
        var lease = (await store.ClaimLaneAsync(Lease, Token)).ShouldNotBeNull();
        var chunks = await store.ReadAheadAsync(lease, null, 10, Token);
        (await store.ApplyAsync(lease, chunks, (_, _) => AllUpdated(chunks), Token)).ShouldNotBeEmpty();

        // A sealer that holds the lane's tail, and has not committed.
        await using var sealer = new NpgsqlConnection(ConnectionString);
        await sealer.OpenAsync(Token);
        await using var transaction = await sealer.BeginTransactionAsync(System.Data.IsolationLevel.ReadCommitted, Token);
        await RunAsync("UPDATE lane_tails SET next_position = next_position + 1");
        var releasing = store.ReleaseLaneAsync(lease, Token);
        await UntilSomebodyWaitsForALockAsync();
        await RunAsync("""
            INSERT INTO jobs (company_id, id, type, lane, position, total_records, chunk_count, created_at, updated_at)
            SELECT company_id, gen_random_uuid(), type, lane, 2, 1, 1, now(), now() FROM jobs
            """);
        await transaction.CommitAsync(Token);

        await releasing;
        (await store.ClaimLaneAsync(Lease, Token)).ShouldNotBeNull().CompanyId.ShouldBe(_company);

        async Task RunAsync(string sql)
        {
            await using var command = new NpgsqlCommand(sql, sealer, transaction);
            await command.ExecuteNonQueryAsync(Token);
        }
    }

    [Fact]
    public async Task Chunks_are_applied_at_read_committed_whatever_the_default_isolation()
    {
        await ExecuteAsync($"ALTER DATABASE \"{Database}\" SET default_transaction_isolation = 'serializable'");
        var store = OpenStore();
        await SealAsync(_company, store);
        var lease = (await store.ClaimLaneAsync(Lease, Token)).ShouldNotBeNull();
        var chunks = await store.ReadAheadAsync(lease, null, 10, Token);
        var level = "";
        await store.ApplyAsync(
            lease, chunks,
            async (transaction, token) =>
            {
                await using var command = transaction.Connection.CreateCommand();
                command.CommandText = "SHOW transaction_isolation";
                command.Transaction = transaction.Transaction;
                level = (string)(await command.ExecuteScalarAsync(token))!;
                return await AllUpdated(chunks);
            },
            Token);
        level.ShouldBe("read committed");
    }

    [Fact]
    public async Task A_database_that_does_not_hold_every_character_is_refused_at_the_start()
    {
        var latin = $"latin_{Guid.CreateVersion7():N}";
        await ExecuteAsync($"CREATE DATABASE {latin} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
        await using var store = new PostgreSqlStore(
            new() { ConnectionString = new NpgsqlConnectionStringBuilder(ConnectionString) { Database = latin }.ConnectionString },
            new([Notes]), Time, NullLogger<PostgreSqlStore>.Instance);

        (await Should.ThrowAsync<NotSupportedException>(store.Upkeep.InitializeAsync(Token))).Message.ShouldContain("UTF8");
    }

    [Fact]
    public async Task A_read_only_database_is_told_as_one_and_keeps_what_it_is_sent_out()
    {
        await ExecuteAsync($"ALTER DATABASE \"{Database}\" SET default_transaction_read_only = on");
        var store = OpenStore();

        (await Should.ThrowAsync<StoreUnavailableException>(store.PingAsync(Token))).Message.ShouldContain("read-only");
        await Should.ThrowAsync<StoreUnavailableException>(SealAsync(_company, store));
    }

    [Fact]
    public async Task A_table_that_is_gone_is_a_database_that_cannot_serve()
    {
        await SealAsync(_company);
        await ExecuteAsync("ALTER TABLE jobs RENAME TO jobs_of_yesterday");

        await Should.ThrowAsync<StoreUnavailableException>(SealAsync(_company));
        await Should.ThrowAsync<StoreUnavailableException>(Store.FindJobAsync(_company, Guid.CreateVersion7(), Token));
        await ExecuteAsync("ALTER TABLE jobs_of_yesterday RENAME TO jobs");
        (await SealAsync(_company)).Position.ShouldBe(2);
    }

    [Fact]
    public async Task Companies_are_read_one_after_another_however_many_lanes_they_have()
    {
        var companies = Enumerable.Range(0, 5).Select(_ => Guid.CreateVersion7()).Order().ToArray();
        foreach (var company in companies)
            await ExecuteAsync($"INSERT INTO lanes (company_id, lane) SELECT '{company}', number::text FROM generate_series(1, 3) number");

        (await Store.ReadCompaniesAsync(null, 100, Token)).ShouldBe(companies);
        (await Store.ReadCompaniesAsync(companies[1], 2, Token)).ShouldBe(companies[2..4]);
        (await Store.ReadCompaniesAsync(companies[4], 2, Token)).ShouldBeEmpty();
    }
}

/// <summary>A server that is a standby, and one whose commits fail.</summary>
public sealed class PostgreSqlStandbyTests(PostgreSqlDatabases databases) : OwnServerTest(databases)
{
    [Fact]
    public async Task A_database_on_the_same_machine_is_reached_through_its_socket_too()
    {
        var folder = (await QueryAsync<string>("SHOW unix_socket_directories")).Split(',')[0];
        var store = OpenStore(options => options.ConnectionString = new NpgsqlConnectionStringBuilder(ConnectionString) { Host = folder }.ConnectionString);

        await store.PingAsync(Token);

        (await SealAsync(Guid.CreateVersion7(), store)).Position.ShouldBe(1);
    }

    [Fact]
    public async Task A_standby_is_told_as_one()
    {
        await Store.PingAsync(Token);
        await Server.StopImmediateAsync();
        await Server.StartAsStandbyAsync();
        NpgsqlConnection.ClearAllPools();

        (await Should.ThrowAsync<StoreUnavailableException>(OpenStore().PingAsync(Token))).Message.ShouldContain("standby");
    }
}
