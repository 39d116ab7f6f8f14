using ApiJobs.Jobs;
using ApiJobs.Storage;
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

    [Fact]
    public Task A_store_that_ends_what_has_ended_is_rejected() => RejectAsync(
        store => new EndingAgain(store),
        Fails(stores => new SqliteEnding(stores), suite => suite.Ending_ends_a_job_that_has_not_ended(ApiJobStatus.Failed, EndResult.HadEnded, ApiJobStatus.Failed)));

    [Fact]
    public Task A_store_that_goes_on_after_the_end_is_rejected() => RejectAsync(
        store => new EndingInNameOnly(store),
        Fails(stores => new SqliteEnding(stores), suite => suite.A_chunk_is_applied_while_its_job_has_not_ended(ApiJobStatus.Failed)),
        Fails(stores => new SqliteEnding(stores), suite => suite.A_job_that_failed_gives_the_lane_to_the_next(ApiJobStatus.Processing)),
        Fails(stores => new SqliteEnding(stores), suite => suite.Jobs_in_the_middle_of_a_lane_may_end_before_those_in_front_of_them()));

    [Fact]
    public Task A_store_that_does_not_keep_ill_lanes_back_is_rejected() => RejectAsync(
        store => new IgnoringFaults(store),
        Fails(stores => new SqliteLaneFault(stores), suite => suite.An_ill_lane_is_not_claimed_before_its_pause_is_over()),
        Fails(stores => new SqliteLaneFault(stores), suite => suite.A_well_lane_is_claimed_at_once_beside_many_ill_ones()));

    [Fact]
    public Task A_store_that_does_not_count_faults_is_rejected() => RejectAsync(
        store => new ForgettingFaults(store),
        Fails(stores => new SqliteLaneFault(stores), suite => suite.Each_claim_says_how_often_in_a_row_the_lane_was_ill()),
        Fails(stores => new SqliteLaneFault(stores), suite => suite.Faults_survive_the_node(crash: true)));

    [Fact]
    public Task A_store_that_serves_a_dead_holder_s_lane_first_is_rejected() => RejectAsync(
        store => new ServingTheSameAgain(store),
        Fails(stores => new SqliteClaiming(stores), suite => suite.A_lane_whose_holder_died_goes_to_the_back()));

    [Fact]
    public Task Chunks_in_any_order_are_rejected() => RejectAsync(
        store => new TakingChunksInAnyOrder(store),
        Fails(stores => new SqliteSealing(stores), suite => suite.A_chunk_that_is_not_the_upload_s_next_is_refused_and_nothing_is_written(index: 2)));

    [Fact]
    public Task Keys_that_clients_share_are_rejected() => RejectAsync(
        store => new SharingKeys(store),
        Fails(stores => new SqliteSealing(stores), suite => suite.A_key_is_its_company_s_and_its_client_s_own()));

    [Fact]
    public Task A_store_that_makes_two_jobs_of_one_key_is_rejected() => RejectAsync(
        store => new IgnoringKeys(store),
        Fails(stores => new SqliteSealing(stores), suite => suite.A_key_that_was_used_gives_its_job_and_what_it_was_sealed_with()),
        Fails(stores => new SqliteSealing(stores), suite => suite.Of_fifty_at_once_with_one_key_one_is_made_and_the_others_are_told_which()));

    [Fact]
    public Task A_store_that_makes_two_retries_of_one_job_is_rejected() => RejectAsync(
        store => new MakingManyChildren(store),
        Fails(stores => new SqliteDescent(stores), suite => suite.A_second_child_of_a_kind_is_told_the_first_and_leaves_nothing(key: null)),
        Fails(stores => new SqliteDescent(stores), suite => suite.Of_fifty_at_once_one_is_made_and_the_others_are_told_which(keyed: false)));

    [Fact]
    public Task A_store_that_keeps_the_keys_of_what_it_refused_is_rejected() => RejectAsync(
        store => new KeepingKeysOfRefusals(store),
        Fails(stores => new SqliteDescent(stores), suite => suite.A_second_child_of_a_kind_is_told_the_first_and_leaves_nothing(key: "key")),
        Fails(stores => new SqliteKeyedEnding(stores), suite => suite.What_cannot_be_ended_leaves_the_key_free()));

    [Fact]
    public Task A_store_that_keeps_no_key_of_an_end_is_rejected() => RejectAsync(
        store => new IgnoringKeysOfEnds(store),
        Fails(stores => new SqliteKeyedEnding(stores), suite => suite.A_key_that_is_taken_ends_nothing()),
        Fails(stores => new SqliteKeyedEnding(stores), suite => suite.The_key_stands_for_the_job_from_the_end_on()));

    [Fact]
    public Task A_store_that_goes_on_with_a_job_that_was_given_up_is_rejected() => RejectAsync(
        store => new NeverGivingUp(store),
        Fails(stores => new SqliteGivenUp(stores), suite => suite.A_chunk_that_ends_its_job_leaves_the_rest_unprocessed_and_the_lane_to_the_next()));

    [Fact]
    public Task A_store_that_forgets_who_asked_is_rejected() => RejectAsync(
        store => new ForgettingOrigins(store),
        Fails(stores => new SqliteSealing(stores), suite => suite.A_job_keeps_who_asked_for_it_and_how()));

    [Fact]
    public Task A_message_of_another_moment_than_its_job_s_is_rejected() => RejectAsync(
        store => new ReadingTheWholeMessage(store),
        Fails(stores => new SqliteOutcome(stores), suite => suite.A_message_is_read_as_it_was_at_the_moment_of_its_job()));

    [Fact]
    public Task A_store_that_tells_old_progress_is_rejected() => RejectAsync(
        store => new TellingOldProgress(store),
        Fails(stores => new SqliteCursor(stores), suite => suite.Applying_gives_the_jobs_as_they_are_since()));

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
