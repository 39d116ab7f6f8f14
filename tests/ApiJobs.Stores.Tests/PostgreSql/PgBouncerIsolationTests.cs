using ApiJobs.Resources;
using ApiJobs.Storage;
using Npgsql;

namespace ApiJobs.Stores.Tests.PostgreSql;

/// <summary>One connection to the server for everybody: whatever a transaction left behind in it, all the others would meet.</summary>
public sealed class PgBouncerIsolationTests(PostgreSqlDatabases databases) : PostgreSqlStoreTest(databases)
{
    // All that the store sets for its transactions.
    private const string SessionSql = """
        SELECT concat_ws(' ', current_user, session_user, NULLIF(current_setting('apijobs.company_id', true), ''),
            current_setting('synchronous_commit'), current_setting('plan_cache_mode'), current_setting('idle_in_transaction_session_timeout'))
        """;

    private readonly Guid _company = Guid.CreateVersion7(), _other = Guid.CreateVersion7();

    private PgBouncer? _pooler;

    protected override async Task<string> CreateDatabaseAsync()
    {
        var straight = await base.CreateDatabaseAsync();
        _pooler = await PgBouncer.StartAsync(straight, poolSize: 1);
        return _pooler.Route(straight);
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        if (_pooler is not null)
            await _pooler.DisposeAsync();
    }

    [Fact]
    public async Task Nothing_of_one_transaction_is_left_for_the_next_on_the_same_connection()
    {
        var session = await QueryAsync<string>(SessionSql);
        var backend = await QueryAsync<int>("SELECT pg_backend_pid()");

        for (var round = 1; round <= 10; round++)
        {
            var jobs = await Task.WhenAll(SealAsync(_company), SealAsync(_other));
            (await QueryAsync<string>(SessionSql)).ShouldBe(session);
            foreach (var job in jobs)
            {
                (await Store.FindJobAsync(job.CompanyId, job.Id, Token)).ShouldBe(job);
                (await Store.FindJobAsync(job.CompanyId == _company ? _other : _company, job.Id, Token)).ShouldBeNull();
                (await QueryAsync<string>(SessionSql)).ShouldBe(session);
            }

            await WorkAsync(fails: true);
            (await QueryAsync<string>(SessionSql)).ShouldBe(session);
            await WorkAsync(fails: false);
            await WorkAsync(fails: false);
            (await QueryAsync<string>(SessionSql)).ShouldBe(session);

            // A statement without a company is the server's own user's again, who sees all.
            (await QueryAsync<long>("SELECT count(DISTINCT company_id) FROM jobs")).ShouldBe(2);
            (await CountAsync(_company)).ShouldBe(round);
            (await CountAsync(_other)).ShouldBe(round);
            (await CountAsync(company: null)).ShouldBe(0);
        }

        (await QueryAsync<int>("SELECT pg_backend_pid()")).ShouldBe(backend);
    }

    [Fact]
    public async Task Companies_that_call_at_the_same_time_see_their_own_only()
    {
        await Task.WhenAll(Enumerable.Range(0, 100).Select(number => Task.Run(
            async () =>
            {
                var (own, foreign) = number % 2 == 0 ? (_company, _other) : (_other, _company);
                var job = await SealAsync(own);
                (await Store.FindJobAsync(own, job.Id, Token)).ShouldBe(job);
                (await Store.FindJobAsync(foreign, job.Id, Token)).ShouldBeNull();
                (await CountAsync(company: null)).ShouldBe(0);
            },
            Token)));

        (await CountAsync(_company)).ShouldBe(50);
        (await CountAsync(_other)).ShouldBe(50);
    }

    /// <summary>Applies the work of the next lane, with a part that is taken back; or fails at it.</summary>
    private async Task WorkAsync(bool fails)
    {
        var lease = (await Store.ClaimLaneAsync(Lease, Token)).ShouldNotBeNull();
        var chunks = await Store.ReadAheadAsync(lease, null, 10, Token);
        var applying = Store.ApplyAsync(
            lease, chunks,
            async (transaction, token) =>
            {
                await Should.ThrowAsync<InvalidTimeZoneException>(transaction.InSavepointAsync(
                    async () =>
                    {
                        await WriteNoteAsync(transaction, lease.CompanyId, token);
                        throw new InvalidTimeZoneException();
                    },
                    token));
                await WriteNoteAsync(transaction, lease.CompanyId, token);
                return fails ? throw new InvalidTimeZoneException() : await AllUpdated(chunks);
            }, Token);
        if (fails)
            await Should.ThrowAsync<InvalidTimeZoneException>(applying);
        else
            (await applying).ShouldNotBeEmpty();
        await Store.ReleaseLaneAsync(lease, Token);
    }

    private static Task WriteNoteAsync(IChunkTransaction transaction, Guid company, CancellationToken token) => transaction.WriteRowsAsync(
        Notes, company, [new(new ResourceRow(Guid.CreateVersion7(), new string?[6], default, default), IsNew: true, 0)], token);

    /// <summary>Counts jobs by a statement that forgot its filter, confined as the store's are.</summary>
    private async Task<long> CountAsync(Guid? company)
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(Token);
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new($"SELECT set_config('apijobs.company_id', '{company}', true), set_config('role', 'apijobs_' || current_database(), true)"),
                new("SELECT count(*) FROM jobs"),
            },
        };
        await using var reader = await batch.ExecuteReaderAsync(Token);
        await reader.NextResultAsync(Token);
        await reader.ReadAsync(Token);
        return reader.GetInt64(0);
    }
}
