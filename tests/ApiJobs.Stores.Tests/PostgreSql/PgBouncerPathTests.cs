using ApiJobs.PostgreSql;
using ApiJobs.Storage;

namespace ApiJobs.Stores.Tests.PostgreSql;

/// <summary>Starting, waking up and faults behind a pooler. What these tests look at and do themselves goes straight to the server.</summary>
public sealed class PgBouncerPathTests(PostgreSqlDatabases databases) : PostgreSqlStoreTest(databases)
{
    private const int PoolSize = 2;

    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    // Only a store that hangs ever waits this long.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly Guid _company = Guid.CreateVersion7();
    private PgBouncer _pooler = null!;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        _pooler = await PgBouncer.StartAsync(ConnectionString, PoolSize);
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        if (_pooler is not null)
            await _pooler.DisposeAsync();
    }

    [Fact]
    public async Task More_nodes_than_the_pooler_has_connections_start_at_once_on_an_empty_database()
    {
        var route = _pooler.Route(await CreateDatabaseAsync());
        var nodes = Enumerable.Range(0, PoolSize * 3).Select(_ => OpenStore(options => options.ConnectionString = route)).ToArray();

        await Task.WhenAll(nodes.Select(node => node.InitializeAsync(Token)));

        foreach (var node in nodes)
            await SealAsync(_company, node);
    }

    [Fact]
    public async Task Listening_straight_at_the_server_another_nodes_work_wakes_a_waiting_node()
    {
        var sealing = OpenBehindPooler();
        var listening = OpenBehindPooler(options => options.ListenConnectionString = ConnectionString);
        await listening.WaitForWorkAsync(Hour, Token);
        var waiting = listening.WaitForWorkAsync(Hour, Token);

        await SealAsync(_company, sealing);

        await waiting.WaitAsync(Patience, Token);
        (await listening.ClaimLaneAsync(Lease, Token)).ShouldNotBeNull().CompanyId.ShouldBe(_company);
    }

    [Fact]
    public async Task Listening_through_the_pooler_wakes_nobody_and_harms_nobody()
    {
        var log = new WarningLog();
        await using var listening = new OpenedStore(new(
            new() { ConnectionString = _pooler.Route(ConnectionString) }, new([Notes]), Time, log));
        // The clock stands still: what ends the first wait is that the listening has begun.
        await listening.WaitForWorkAsync(Hour, Token);

        var sealing = OpenBehindPooler();
        for (var job = 1; job <= 10; job++)
        {
            var waiting = listening.WaitForWorkAsync(Hour, Token);
            (await SealAsync(_company, sealing)).Position.ShouldBe(job);
            Time.Advance(Hour);
            await waiting.WaitAsync(Patience, Token);
            var lease = (await listening.ClaimLaneAsync(Lease, Token)).ShouldNotBeNull();
            (await ApplyAsync(lease, await listening.ReadAheadAsync(lease, null, 10, Token))).ShouldBeTrue();
            await listening.ReleaseLaneAsync(lease, Token);
        }

        log.Warnings.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_server_connection_that_dies_under_the_pooler_is_no_record_s_fault()
    {
        var store = OpenBehindPooler();
        var job = await SealAsync(_company, store);
        var lease = (await store.ClaimLaneAsync(TimeSpan.Zero, Token)).ShouldNotBeNull();
        var chunks = await store.ReadAheadAsync(lease, null, 10, Token);

        var fault = await Should.ThrowAsync<Exception>(store.ApplyAsync(
            lease, chunks,
            async (transaction, token) =>
            {
                await ExecuteAsync("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'apijobs'");
                await transaction.LoadRowsAsync(Notes, _company, [_company], 0, token);
                return await AllUpdated(chunks);
            }, Token));

        store.Classify(fault).ShouldBe(StoreFault.Transient);
        lease = (await RetryAsync(() => store.ClaimLaneAsync(Lease, Token))).ShouldNotBeNull();
        (await RetryAsync(() => store.ApplyAsync(lease, chunks, (_, _) => AllUpdated(chunks), Token))).ShouldNotBeEmpty();
        (await RetryAsync(() => store.FindJobAsync(_company, job.Id, Token))).ShouldNotBeNull().Counts.Updated.ShouldBe(1);
    }

    [Fact]
    public async Task A_pooler_that_is_away_is_a_database_that_is_away()
    {
        var store = OpenBehindPooler();
        var job = await SealAsync(_company, store);

        _pooler.Stop();
        await Should.ThrowAsync<StoreUnavailableException>(SealAsync(_company, store));
        await Should.ThrowAsync<StoreUnavailableException>(store.PingAsync(Token));
        await Should.ThrowAsync<StoreUnavailableException>(store.ClaimLaneAsync(Lease, Token));

        await _pooler.StartAgainAsync();
        (await store.FindJobAsync(_company, job.Id, Token)).ShouldBe(job);
        (await SealAsync(_company, store)).Position.ShouldBe(2);
    }

    private OpenedStore OpenBehindPooler(Action<PostgreSqlStoreOptions>? configure = null) => OpenStore(options =>
    {
        options.ConnectionString = _pooler.Route(ConnectionString);
        configure?.Invoke(options);
    });

    /// <summary>Tries again, as workers do, while the pooler finds out which of its connections are dead.</summary>
    private static async Task<T> RetryAsync<T>(Func<Task<T>> call)
    {
        while (true)
        {
            try
            {
                return await call().WaitAsync(Patience, Token);
            }
            catch (StoreUnavailableException)
            {
                Token.ThrowIfCancellationRequested();
            }
        }
    }
}
