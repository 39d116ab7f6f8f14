using ApiJobs.Stores.Tests.Conformance;

namespace ApiJobs.Stores.Tests.Broken;

/// <summary>The suite is worth what it rejects: each store here breaks one promise, and the tests of that promise must fail on it.</summary>
public sealed class BrokenStoreTests
{
    [Fact]
    public Task A_store_without_a_cursor_guard_is_rejected() => RejectAsync(
        store => new WithoutCursorGuard(store),
        Fails(stores => new SqliteCursor(stores), suite => suite.A_stale_cursor_is_refused_and_nothing_is_done()),
        Fails(stores => new SqliteCursor(stores), suite => suite.An_ended_job_never_changes()),
        Fails(stores => new SqliteLease(stores), suite => suite.A_worker_that_was_overtaken_writes_nothing()),
        Fails(stores => new SqliteConcurrency(stores), suite => suite.One_of_two_workers_applies_a_chunk()),
        Fails(stores => new SqliteHistory(stores), suite => suite.A_history_of_calls_ends_as_the_model_says(seed: 1)));

    [Fact]
    public Task A_cursor_outside_the_transaction_of_the_effects_is_rejected() => RejectAsync(
        store => new WithCursorInItsOwnTransaction(store),
        Fails(stores => new SqliteCursor(stores), suite => suite.Effects_that_throw_are_undone_and_their_exception_comes_through()),
        Fails(stores => new SqliteCursor(stores), suite => suite.Nobody_sees_effects_before_they_are_committed()),
        Fails(stores => new SqliteFault(stores), suite => suite.A_refusal_by_the_database_itself_is_transient_and_the_chunk_can_be_applied_again()));

    [Fact]
    public Task A_store_that_acknowledges_before_the_commit_is_rejected() => RejectAsync(
        store => new AcknowledgingBeforeCommit(store),
        Fails(stores => new SqliteAccepting(stores), suite => suite.A_sealed_job_is_never_lost(crash: true)));

    [Fact]
    public Task A_store_that_forgets_the_company_is_rejected() => RejectAsync(
        store => new ForgettingTheCompany(store),
        Fails(stores => new SqliteIsolation(stores), suite => suite.Another_companys_job_is_not_found()));

    [Fact]
    public Task Leases_that_never_expire_are_rejected() => RejectAsync(
        store => new LeasingForEver(store),
        Fails(stores => new SqliteLease(stores), suite => suite.An_expired_lease_can_be_taken_over()),
        Fails(stores => new SqliteLease(stores), suite => suite.A_lost_lease_cannot_be_renewed()));

    [Fact]
    public Task Leases_that_anybody_may_renew_and_end_are_rejected() => RejectAsync(
        store => new IgnoringTokens(store),
        Fails(stores => new SqliteLease(stores), suite => suite.A_lost_lease_cannot_be_renewed()),
        Fails(stores => new SqliteLease(stores), suite => suite.Renewing_a_lost_lease_does_not_prolong_the_new_one()),
        Fails(stores => new SqliteLease(stores), suite => suite.Releasing_a_lost_lease_does_not_end_the_new_one()),
        Fails(stores => new SqliteHistory(stores), suite => suite.A_history_of_calls_ends_as_the_model_says(seed: 1)));

    [Fact]
    public Task A_store_that_swallows_exceptions_is_rejected() => RejectAsync(
        store => new SwallowingFaults(store),
        Fails(stores => new SqliteCursor(stores), suite => suite.Effects_that_throw_are_undone_and_their_exception_comes_through()));

    [Fact]
    public Task A_lane_read_out_of_order_is_rejected() => RejectAsync(
        store => new ReadingBackwards(store),
        Fails(stores => new SqliteReadAhead(stores), suite => suite.A_lane_is_read_over_the_ends_of_its_jobs_in_their_order()),
        Fails(stores => new SqliteConcurrency(stores), suite => suite.Jobs_sealed_at_once_come_out_in_the_order_of_their_positions()));

    /// <summary>Runs tests of the suite on sound stores, where they must pass, and on broken ones, where they must fail.</summary>
    private static async Task RejectAsync(Func<IWholeStore, IWholeStore> breakStore, params Func<SqliteStores, Task>[] tests)
    {
        foreach (var test in tests)
        {
            await test(new SqliteStores());
            (await Record.ExceptionAsync(() => test(new BrokenSqliteStores(breakStore)))).ShouldBeOfType<ShouldAssertException>();
        }
    }

    private static Func<SqliteStores, Task> Fails<TSuite>(Func<SqliteStores, TSuite> create, Func<TSuite, Task> test)
        where TSuite : StoreTests => async stores =>
        {
            await using var suite = create(stores);
            await suite.InitializeAsync();
            await test(suite);
        };

    private sealed class BrokenSqliteStores(Func<IWholeStore, IWholeStore> breakStore) : SqliteStores
    {
        public override IWholeStore Wrap(IWholeStore store) => breakStore(store);
    }
}
