namespace ApiJobs.Stores.Tests.Conformance;

/// <summary>Which lane a worker gets, and how it hears that there is one.</summary>
public abstract class ClaimingTests(StoreFixture stores) : StoreTests(stores)
{
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(10);

    [Fact]
    public async Task An_empty_store_has_nothing_to_claim()
    {
        (await Store.ClaimLaneAsync(NodeName, LeaseTime, Cancel)).ShouldBeNull();
    }

    [Fact]
    public async Task A_lane_with_work_can_be_claimed_by_one()
    {
        await AcceptAsync(Store, Company, "imports", 1);

        var lease = await ClaimAsync();

        (lease.CompanyId, lease.Lane).ShouldBe((Company, "imports"));
        (await Store.ClaimLaneAsync(NodeName, LeaseTime, Cancel)).ShouldBeNull();
    }

    [Fact]
    public async Task The_lanes_of_one_company_are_claimed_apart()
    {
        await AcceptAsync(Company, 1);
        await AcceptAsync(Store, Company, "imports", 1);

        var lanes = new[] { (await ClaimAsync()).Lane, (await ClaimAsync()).Lane };

        lanes.ShouldBe(["", "imports"], ignoreOrder: true);
    }

    [Fact]
    public async Task Every_claim_has_a_token_of_its_own()
    {
        await AcceptAsync(Company, 1);
        var first = await ClaimAsync();
        await Store.ReleaseLaneAsync(first, fault: null, Cancel);

        (await ClaimAsync()).Token.ShouldNotBe(first.Token);
    }

    [Fact]
    public async Task A_lane_that_used_little_of_its_turn_has_the_next_one_before_the_round_is_over()
    {
        const int Lanes = 10;
        for (var lane = 0; lane < Lanes; lane++)
            await AcceptAsync(Guid.CreateVersion7(), 1, 1);
        for (var lane = 0; lane < Lanes; lane++)
            await ServeAsync(turnUsed: 1);

        var small = await ServeAsync(turnUsed: 0.01);

        List<Guid> after = [];
        for (var lane = 0; lane < Lanes; lane++)
            after.Add(await ServeAsync(turnUsed: 1));
        after.Distinct().Count().ShouldBe(Lanes);
        after.IndexOf(small).ShouldBeLessThan(Lanes - 1);

        async Task<Guid> ServeAsync(double turnUsed)
        {
            var lease = await ClaimAsync();
            // Really, and not by setting back what is stored: a node remembers how far its claims have come.
            await Task.Delay(Moment, TimeProvider.System, Cancel);
            await Store.ReleaseLaneAsync(lease with { TurnUsed = turnUsed }, fault: null, Cancel);
            return lease.CompanyId;
        }
    }

    [Fact]
    public async Task A_lane_that_says_it_used_nothing_does_not_keep_the_others_from_their_turns()
    {
        await AcceptAsync(Company, 1, 1);
        await AcceptAsync(OtherCompany, 1, 1);

        for (var turn = 0; turn < 500; turn++)
        {
            var lease = await ClaimAsync();
            if (lease.CompanyId == OtherCompany)
                return;
            await Store.ReleaseLaneAsync(lease with { TurnUsed = 0 }, fault: null, Cancel);
        }

        Assert.Fail("The other lane had no turn.");
    }

    [Fact]
    public async Task The_least_recently_served_lane_comes_first()
    {
        Guid[] companies = [Company, OtherCompany, Guid.CreateVersion7()];
        foreach (var company in companies)
            await AcceptAsync(company, 1, 1);

        var served = new List<Guid>();
        for (var turn = 0; turn < 9; turn++)
        {
            var lease = await ClaimAsync();
            served.Add(lease.CompanyId);
            await Database.PassTimeAsync(Moment);
            await Store.ReleaseLaneAsync(lease, fault: null, Cancel);
            await Database.PassTimeAsync(Moment);
        }

        served.Take(3).ShouldBe(companies, ignoreOrder: true);
        served.Skip(3).ShouldBe([.. served.Take(3), .. served.Take(3)]);
    }

    // Or a lane that kills its workers would be served again and again.
    [Fact]
    public async Task A_lane_whose_holder_died_goes_to_the_back()
    {
        Guid[] companies = [Company, OtherCompany, Guid.CreateVersion7()];
        foreach (var company in companies)
            await AcceptAsync(company, 1, 1);

        var claimed = new List<Guid>();
        for (var turn = 0; turn < 6; turn++)
        {
            claimed.Add((await ClaimAsync()).CompanyId);
            await Database.PassTimeAsync(LeaseTime + Moment);
        }

        claimed.Take(3).ShouldBe(companies, ignoreOrder: true);
        claimed.Skip(3).ShouldBe(claimed.Take(3));
    }

    [Fact]
    public async Task A_leased_lane_is_passed_over()
    {
        await AcceptAsync(Company, 1);
        await AcceptAsync(OtherCompany, 1);
        var held = await ClaimAsync();

        for (var turn = 0; turn < 3; turn++)
        {
            var lease = await ClaimAsync();
            lease.CompanyId.ShouldNotBe(held.CompanyId);
            await Store.ReleaseLaneAsync(lease, fault: null, Cancel);
            await Database.PassTimeAsync(Moment);
        }
    }

    [Fact]
    public async Task A_lane_without_work_cannot_be_claimed()
    {
        await AcceptAsync(Company, 1, 1);
        await AcceptAsync(Company, 1);
        await DrainAsync(Store);

        (await Store.ClaimLaneAsync(NodeName, LeaseTime, Cancel)).ShouldBeNull();
    }

    [Fact]
    public async Task A_drained_lane_can_be_claimed_when_it_gets_work_again()
    {
        await AcceptAsync(Company, 1);
        await DrainAsync(Store);
        var job = await AcceptAsync(Company, 1);

        (await ReadAheadAsync(await ClaimAsync())).ShouldHaveSingleItem().Job.Id.ShouldBe(job.Id);
    }

    [Fact]
    public async Task Work_that_comes_while_the_lane_is_held_is_not_forgotten()
    {
        await AcceptAsync(Company, 1);
        var lease = await ClaimAsync();
        await ApplyAsync(lease, await ReadAheadAsync(lease));
        var job = await AcceptAsync(Company, 1);
        await Store.ReleaseLaneAsync(lease, fault: null, Cancel);

        (await ReadAheadAsync(await ClaimAsync())).ShouldHaveSingleItem().Job.Id.ShouldBe(job.Id);
    }

    [Fact]
    public async Task A_lane_waits_while_it_has_work_and_no_live_lease()
    {
        await ExpectWaitingAsync(false);
        await AcceptAsync(Company, 1, 1);
        await ExpectWaitingAsync(true);

        var lease = await ClaimAsync();
        await ExpectWaitingAsync(false);
        await AcceptAsync(Company, 1);
        await ExpectWaitingAsync(false);

        await Database.PassTimeAsync(LeaseTime + Moment);
        await ExpectWaitingAsync(true);
        lease = await ClaimAsync();
        await ExpectWaitingAsync(false);
        await Store.ReleaseLaneAsync(lease, fault: null, Cancel);
        await ExpectWaitingAsync(true);

        await DrainAsync(Store);
        await ExpectWaitingAsync(false);
    }

    [Fact]
    public async Task Another_lane_may_wait_beside_a_leased_one()
    {
        await AcceptAsync(Company, 1);
        await ClaimAsync();
        await AcceptAsync(Store, Company, "imports", 1);

        await ExpectWaitingAsync(true);
    }

    [Fact]
    public async Task Sealing_a_job_ends_the_wait_for_work()
    {
        var waiting = Store.WaitForWorkAsync(TimeSpan.FromHours(1), Cancel);

        await AcceptAsync(Company, 1);

        await waiting.WaitAsync(Patience, Cancel);
    }

    // Otherwise a job that is sealed after a worker's last look waits for the next poll.
    [Fact]
    public async Task Work_that_came_before_the_wait_ends_it_too()
    {
        (await Store.ClaimLaneAsync(NodeName, LeaseTime, Cancel)).ShouldBeNull();
        await AcceptAsync(Company, 1);

        await Store.WaitForWorkAsync(TimeSpan.FromHours(1), Cancel).WaitAsync(Patience, Cancel);
    }

    [Fact]
    public async Task Waiting_ends_when_its_time_has_passed()
    {
        var waiting = Store.WaitForWorkAsync(TimeSpan.FromSeconds(1), Cancel).WaitAsync(Patience, Cancel);

        // The wait may begin after time has passed; then it needs more of it.
        while (!waiting.IsCompleted)
        {
            await Database.PassTimeAsync(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        await waiting;
    }

    [Fact]
    public async Task Waiting_can_be_cancelled()
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var waiting = Store.WaitForWorkAsync(TimeSpan.FromHours(1), stopping.Token);

        await stopping.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(waiting.WaitAsync(Patience, Cancel));
    }

    private async Task ExpectWaitingAsync(bool expected) => (await Store.IsLaneWaitingAsync(Cancel)).ShouldBe(expected);
}
