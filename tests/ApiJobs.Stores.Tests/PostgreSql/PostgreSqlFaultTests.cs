using ApiJobs.Storage;

namespace ApiJobs.Stores.Tests.PostgreSql;

/// <summary>Whose fault it is when PostgreSQL refuses what an operation does.</summary>
public sealed class PostgreSqlFaultTests(PostgreSqlDatabases databases) : PostgreSqlStoreTest(databases)
{
    private readonly Guid _company = Guid.CreateVersion7();

    [Theory]
    [InlineData("SELECT * FROM nowhere", StoreFault.Deployment)]
    [InlineData("SELECT nothing FROM note", StoreFault.Deployment)]
    [InlineData("SELECT no_function()", StoreFault.Deployment)]
    [InlineData("SELECT * FROM nowhere.nothing", StoreFault.Deployment)]
    [InlineData("DELETE FROM note", StoreFault.Deployment)]
    [InlineData("INSERT INTO note (company_id, id, created_at, updated_at) VALUES (gen_random_uuid(), gen_random_uuid(), now(), now())", StoreFault.Constraint)]
    [InlineData("SET LOCAL statement_timeout = 1; SELECT count(*) FROM generate_series(1, 100000000)", StoreFault.TooSlow)]
    [InlineData("SELECT 1 / 0", StoreFault.None)]
    public async Task What_a_statement_of_an_operation_is_refused_for_is_told_apart(string sql, StoreFault fault)
    {
        await SealAsync(_company);
        var lease = (await Store.ClaimLaneAsync(Lease, Token)).ShouldNotBeNull();
        var chunks = await Store.ReadAheadAsync(lease, null, 10, Token);

        var thrown = await Should.ThrowAsync<Exception>(Store.ApplyAsync(
            lease, chunks,
            async (transaction, token) =>
            {
                await using var command = transaction.Connection.CreateCommand();
                command.CommandText = sql;
                command.Transaction = transaction.Transaction;
                await command.ExecuteNonQueryAsync(token);
                return await AllUpdated(chunks);
            },
            Token));

        Store.Classify(thrown).ShouldBe(fault);
        (await ApplyAsync(lease, chunks)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_group_whose_commit_is_refused_is_told_to_nobody_as_sealed()
    {
        var other = Guid.CreateVersion7();
        await ExecuteAsync("""
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused at the commit'; END $$;
            CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON jobs DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse();
            """);

        foreach (var sealing in Enumerable.Range(0, 20).Select(number => SealAsync(number % 2 == 0 ? _company : other)).ToArray())
            (await Should.ThrowAsync<Exception>(sealing)).Message.ShouldContain("refused at the commit");

        (await QueryAsync<long>("SELECT (SELECT count(*) FROM jobs) + (SELECT count(*) FROM chunks) + (SELECT count(*) FROM lanes)")).ShouldBe(0);
    }
}
