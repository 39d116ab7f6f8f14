using ApiJobs.PostgreSql;
using ApiJobs.PostgreSql.Schema;
using ApiJobs.Resources;
using ApiJobs.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace ApiJobs.Stores.Tests.PostgreSql;

/// <summary>What the database itself does for a statement that forgot its company.</summary>
public sealed class PostgreSqlIsolationTests(PostgreSqlDatabases databases) : PostgreSqlStoreTest(databases)
{
    // They hold no customer's data, and the claim and the sweep look at all companies.
    private static readonly string[] Exempt = [.. OwnTables.All.Where(table => !table.IsConfined && table.Name != OwnTables.Journal).Select(table => table.Name).Order()];

    private readonly Guid _company = Guid.CreateVersion7(), _other = Guid.CreateVersion7();

    [Fact]
    public async Task Every_table_with_a_company_is_confined_but_the_exempt_ones() =>
        (await QueryAsync<string[]>("""
            SELECT array_agg(c.relname::text ORDER BY c.relname::text)
            FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'company_id'
            WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
            """)).ShouldBe(Exempt);

    [Fact]
    public async Task Without_its_filter_a_statement_sees_and_writes_one_company_only()
    {
        await FillAsync(Store, _company);
        await FillAsync(Store, _other);

        string[] tables = [.. OwnTables.All.Where(table => table.IsConfined).Select(table => table.Name), "note"];
        foreach (var table in tables)
        {
            (await QueryAsync<long>($"SELECT count(DISTINCT company_id) FROM {table}")).ShouldBe(2, table);
            (await AsCompanyAsync<long>(_company, $"SELECT count(*) FROM {table}")).ShouldBe(1, table);
            (await AsCompanyAsync<long>(_company, $"SELECT count(*) FROM {table} WHERE company_id = '{_other}'")).ShouldBe(0, table);
            (await AsCompanyAsync<long>(company: null, $"SELECT count(*) FROM {table}")).ShouldBe(0, table);
        }

        (await AsCompanyAsync<long>(_company, "WITH u AS (UPDATE jobs SET failed_count = 0 RETURNING 1) SELECT count(*) FROM u")).ShouldBe(1);
        (await AsCompanyAsync<long>(_company, "WITH u AS (UPDATE note SET \"order\" = 1 RETURNING 1) SELECT count(*) FROM u")).ShouldBe(1);
        (await AsCompanyAsync<long>(_company, "WITH d AS (DELETE FROM chunks RETURNING 1) SELECT count(*) FROM d")).ShouldBe(1);
        (await AsCompanyAsync<long>(_company, "WITH d AS (DELETE FROM jobs RETURNING 1) SELECT count(*) FROM d")).ShouldBe(1);
        (await QueryAsync<long>($"SELECT count(*) FROM chunks WHERE company_id = '{_other}'")).ShouldBe(1);
        await ShouldBeRefusedAsync($"INSERT INTO note (company_id, id, created_at, updated_at) VALUES ('{_other}', gen_random_uuid(), now(), now())");
        await ShouldBeRefusedAsync($"INSERT INTO job_messages VALUES ('{_other}', gen_random_uuid(), 0, '')");
        await ShouldBeRefusedAsync($"UPDATE note SET company_id = '{_other}'");
    }

    [Theory]
    [InlineData("DELETE FROM lanes")]
    [InlineData("DELETE FROM note")]
    [InlineData("TRUNCATE lanes")]
    [InlineData("ALTER TABLE jobs DISABLE ROW LEVEL SECURITY")]
    [InlineData("CREATE TABLE of_its_own ()")]
    public Task The_role_may_do_no_more_than_the_store_does(string sql) => ShouldBeRefusedAsync(sql);

    [Fact]
    public async Task A_user_that_may_not_use_the_role_is_bound_by_the_policies_on_its_own_tables()
    {
        await FillAsync(Store, _other);
        var user = $"plain_{Guid.CreateVersion7():N}";
        await ExecuteAsync($"CREATE ROLE {user} LOGIN PASSWORD 'x'; CREATE SCHEMA AUTHORIZATION {user}");
        var connectionString = new NpgsqlConnectionStringBuilder(ConnectionString) { Username = user, Password = "x", SearchPath = user }.ConnectionString;
        await using var store = new OpenedStore(new(new() { ConnectionString = connectionString }, new([Notes]), Time, NullLogger<PostgreSqlStore>.Instance));
        await store.InitializeAsync(Token);

        await FillAsync(store, _company);

        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(Token);
        await using var command = new NpgsqlCommand("SELECT count(*) FROM jobs", connection);
        (await command.ExecuteScalarAsync(Token)).ShouldBe(0L);
    }

    [Fact]
    public async Task Isolation_can_be_left_out()
    {
        var open = OpenStore(options => options.CompanyIsolation = false);
        await open.InitializeAsync(Token);
        await FillAsync(open, _company);
        (await QueryAsync<bool>("SELECT bool_or(relforcerowsecurity) FROM pg_class")).ShouldBeFalse();

        await OpenStore().InitializeAsync(Token);
        (await QueryAsync<bool>("SELECT bool_or(relforcerowsecurity) FROM pg_class")).ShouldBeTrue();
    }

    /// <summary>Leaves one row of the company in every table.</summary>
    private async Task FillAsync(OpenedStore store, Guid company)
    {
        await store.SealAsync(NewJob(company) with { Origin = new() { IdempotencyKey = "key" } }, ChunkOf(0, 0, "{}"), Token);
        var lease = (await store.ClaimLaneAsync(Lease, Token)).ShouldNotBeNull();
        lease.CompanyId.ShouldBe(company);
        var chunks = await store.ReadAheadAsync(lease, null, 10, Token);
        (await store.ApplyAsync(
            lease, chunks,
            async (transaction, token) =>
            {
                await transaction.WriteRowsAsync(Notes, company, [new(new ResourceRow(Guid.CreateVersion7(), new string?[6], Time.GetUtcNow(), Time.GetUtcNow()), IsNew: true, 0)], token);
                await transaction.RehearsalNotes.WriteAsync(company, chunks[0].Job.Id, RehearsalNoteKind.Row, [new(company, new byte[1])], token);
                return [new(new byte[] { 4 }, default, "entry", 1)];
            }, Token)).ShouldNotBeEmpty();
        await store.ReleaseLaneAsync(lease, Token);
    }

    private async Task ShouldBeRefusedAsync(string sql) =>
        (await Should.ThrowAsync<PostgresException>(AsCompanyAsync<object>(_company, sql))).SqlState.ShouldBe(PostgresErrorCodes.InsufficientPrivilege);

    /// <summary>Runs SQL as the store's own statements run, and takes it back.</summary>
    private async Task<T> AsCompanyAsync<T>(Guid? company, string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(Token);
        await using var transaction = await connection.BeginTransactionAsync(Token);
        await using (var enter = new NpgsqlCommand($"SELECT set_config('apijobs.company_id', '{company}', true), set_config('role', 'apijobs_' || current_database(), true)", connection))
            await enter.ExecuteNonQueryAsync(Token);
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync(Token))!;
    }
}
