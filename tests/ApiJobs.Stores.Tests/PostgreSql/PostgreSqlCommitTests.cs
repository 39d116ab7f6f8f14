using ApiJobs.Jobs;
using ApiJobs.Storage;
using Npgsql;

namespace ApiJobs.Stores.Tests.PostgreSql;

/// <summary>What is told to have happened has happened for good, whatever the database's settings; what is not known is said.</summary>
public sealed class PostgreSqlCommitTests(PostgreSqlDatabases databases) : OwnServerTest(databases)
{
    private const string Committing = "FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'SyncRep'";

    private readonly Guid _company = Guid.CreateVersion7(), _other = Guid.CreateVersion7();

    [Fact]
    public async Task A_seal_whose_commit_no_standby_confirms_is_not_acknowledged_and_not_lost_either()
    {
        var impatient = OpenStore(options => options.ConnectionString += ";Command Timeout=1");
        NewJob[] jobs = [NewJob(_company), NewJob(_other), NewJob(_company)];
        await HoldCommitsAsync(true);

        foreach (var sealing in jobs.Select(job => impatient.SealAsync(job, ChunkOf(0, 0, "{}"), Token)).ToArray())
            (await Should.ThrowAsync<StoreUnavailableException>(sealing)).Message.ShouldContain("not known");
        // It was not cancelled: cancelled, it would have been committed without the standby.
        (await QueryAsync<long>($"SELECT count(*) {Committing}")).ShouldBeGreaterThan(0);

        await HoldCommitsAsync(false);
        foreach (var job in jobs)
            (await impatient.SealAsync(job, ChunkOf(0, 0, "{}"), Token)).Id.ShouldBe(job.Id);
        (await QueryAsync<long>("SELECT count(*) FROM jobs")).ShouldBe(jobs.Length);
    }

    [Fact]
    public async Task A_seal_whose_wait_for_the_standby_an_operator_cancels_is_not_acknowledged()
    {
        await SealAsync(_company);
        await HoldCommitsAsync(true);
        var sealing = SealAsync(_company);

        // It is tried once more, because it may be repeated.
        await CancelCommitsAsync(sealing);

        await Should.ThrowAsync<StoreUnavailableException>(sealing);
    }

    [Fact]
    public async Task Applied_chunks_whose_commit_no_standby_confirms_are_not_told_as_applied()
    {
        var job = await SealAsync(_company);
        var lease = (await Store.ClaimLaneAsync(Lease, Token)).ShouldNotBeNull();
        var chunks = await Store.ReadAheadAsync(lease, null, 10, Token);
        await HoldCommitsAsync(true);
        var applying = ApplyAsync(lease, chunks);

        await CancelCommitsAsync(applying);

        await Should.ThrowAsync<StoreUnavailableException>(applying);
        await HoldCommitsAsync(false);
        (await ApplyAsync(lease, chunks)).ShouldBeFalse();
        (await Store.FindJobAsync(_company, job.Id, Token)).ShouldNotBeNull().Status.ShouldBe(ApiJobStatus.Completed);
    }

    [Fact]
    public async Task Nothing_that_was_told_is_undone_by_a_crash_of_a_database_whose_commits_do_not_wait()
    {
        await ExecuteAsync($"ALTER DATABASE \"{new NpgsqlConnectionStringBuilder(ConnectionString).Database}\" SET synchronous_commit = off");
        await ExecuteAsync("ALTER SYSTEM SET wal_writer_delay = '10s'");
        await ExecuteAsync("SELECT pg_reload_conf()");
        NpgsqlConnection.ClearAllPools();
        var store = OpenStore();

        // Of so many companies that most are written together with others.
        var jobs = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => SealAsync(Guid.CreateVersion7(), store)));
        store = await CrashAsync();
        foreach (var job in jobs)
            (await store.FindJobAsync(job.CompanyId, job.Id, Token)).ShouldBe(job);

        var lease = (await store.ClaimLaneAsync(Lease, Token)).ShouldNotBeNull();
        var chunks = await store.ReadAheadAsync(lease, null, 1, Token);
        (await store.ApplyAsync(lease, chunks, (_, _) => AllUpdated(chunks), Token)).ShouldHaveSingleItem().HasEnded.ShouldBeTrue();
        store = await CrashAsync();
        (await store.FindJobAsync(lease.CompanyId, chunks[0].Job.Id, Token)).ShouldNotBeNull().Status.ShouldBe(ApiJobStatus.Completed);

        var cancelled = jobs.Last(job => job.CompanyId != lease.CompanyId);
        (await store.EndJobAsync(cancelled.CompanyId, cancelled.Id, new("cancelled", "It was cancelled."), Token)).ShouldBe(EndResult.Ended);
        store = await CrashAsync();
        (await store.FindJobAsync(cancelled.CompanyId, cancelled.Id, Token)).ShouldNotBeNull().Status.ShouldBe(ApiJobStatus.Failed);
    }

    private async Task<OpenedStore> CrashAsync()
    {
        await Server.StopImmediateAsync();
        await Server.StartAgainAsync();
        NpgsqlConnection.ClearAllPools();
        return OpenStore();
    }

    /// <summary>Cancels commits that wait, as long as there are some.</summary>
    private async Task CancelCommitsAsync(Task waiting)
    {
        while (!waiting.IsCompleted)
            await ExecuteAsync($"SELECT pg_cancel_backend(pid) {Committing}");
    }
}
