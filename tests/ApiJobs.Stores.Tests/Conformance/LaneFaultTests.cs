using ApiJobs.Storage;

namespace ApiJobs.Stores.Tests.Conformance;

/// <summary>A lane that was given back with a fault: kept back for its pause, and out of nobody else's way.</summary>
public abstract class LaneFaultTests(StoreFixture stores) : StoreTests(stores)
{
    private static readonly TimeSpan Pause = TimeSpan.FromHours(1), Moment = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task An_ill_lane_is_not_claimed_before_its_pause_is_over()
    {
        await AcceptAsync(Company, 1);
        await ReleaseIllAsync(await ClaimAsync());

        (await Store.ClaimLaneAsync(NodeName, LeaseTime, Cancel)).ShouldBeNull();
        (await Store.IsLaneWaitingAsync(Cancel)).ShouldBeFalse();
        await Database.PassTimeAsync(Pause - TimeSpan.FromMinutes(1));
        (await Store.ClaimLaneAsync(NodeName, LeaseTime, Cancel)).ShouldBeNull();

        await Database.PassTimeAsync(TimeSpan.FromMinutes(1) + Moment);
        (await Store.IsLaneWaitingAsync(Cancel)).ShouldBeTrue();
        (await ClaimAsync()).CompanyId.ShouldBe(Company);
    }

    [Fact]
    public async Task Each_claim_says_how_often_in_a_row_the_lane_was_ill()
    {
        await AcceptAsync(Company, 1);

        for (var faults = 0; faults < 4; faults++)
        {
            var lease = await ClaimAsync();
            lease.Faults.ShouldBe(faults);
            await ReleaseIllAsync(lease);
            await Database.PassTimeAsync(Pause + Moment);
        }
    }

    [Fact]
    public async Task A_lane_that_is_well_again_has_no_faults()
    {
        await AcceptAsync(Company, 1);
        await ReleaseIllAsync(await ClaimAsync());
        await Database.PassTimeAsync(Pause + Moment);

        await Store.ReleaseLaneAsync(await ClaimAsync(), fault: null, Cancel);

        (await ClaimAsync()).Faults.ShouldBe(0);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Faults_survive_the_node(bool crash)
    {
        await AcceptAsync(Company, 1);
        await ReleaseIllAsync(await ClaimAsync());

        await (crash ? CrashAndRestartAsync() : RestartAsync());

        (await Store.ClaimLaneAsync(NodeName, LeaseTime, Cancel)).ShouldBeNull();
        await Database.PassTimeAsync(Pause + Moment);
        (await ClaimAsync()).Faults.ShouldBe(1);
    }

    [Fact]
    public async Task Faults_hold_on_every_node()
    {
        await AcceptAsync(Company, 1);
        var other = await AnotherNodeAsync();

        await ReleaseIllAsync(await ClaimAsync());

        (await other.ClaimLaneAsync(NodeName, LeaseTime, Cancel)).ShouldBeNull();
    }

    [Fact]
    public async Task A_well_lane_is_claimed_at_once_beside_many_ill_ones()
    {
        for (var lane = 0; lane < 50; lane++)
        {
            await AcceptAsync(Guid.CreateVersion7(), 1);
            await ReleaseIllAsync(await ClaimAsync());
        }

        await AcceptAsync(Store, Company, "imports", 1);

        var lease = await ClaimAsync();
        (lease.CompanyId, lease.Lane, lease.Faults).ShouldBe((Company, "imports", 0));
        (await Store.ClaimLaneAsync(NodeName, LeaseTime, Cancel)).ShouldBeNull();
    }

    [Fact]
    public async Task New_work_does_not_heal_a_lane()
    {
        await AcceptAsync(Company, 1);
        await ReleaseIllAsync(await ClaimAsync());

        await AcceptAsync(Company, 1);

        (await Store.ClaimLaneAsync(NodeName, LeaseTime, Cancel)).ShouldBeNull();
    }

    [Fact]
    public async Task Whoever_lost_the_lease_cannot_make_the_lane_ill_or_well()
    {
        await AcceptAsync(Company, 1);
        var lost = await ClaimAsync();
        await Database.PassTimeAsync(LeaseTime + Moment);
        var lease = await ClaimAsync();

        await ReleaseIllAsync(lost);
        (await Store.RenewLeaseAsync(lease, LeaseTime, Cancel)).ShouldBeTrue();
        await ReleaseIllAsync(lease);
        await Store.ReleaseLaneAsync(lost, fault: null, Cancel);

        (await Store.ClaimLaneAsync(NodeName, LeaseTime, Cancel)).ShouldBeNull();
        await Database.PassTimeAsync(Pause + Moment);
        (await ClaimAsync()).Faults.ShouldBe(1);
    }

    [Fact]
    public async Task A_long_fault_of_any_text_is_taken()
    {
        await AcceptAsync(Company, 1);

        await Store.ReleaseLaneAsync(await ClaimAsync(), new(new string('é', 100_000) + "\0 \ud800", Pause), Cancel);

        await Database.PassTimeAsync(Pause + Moment);
        (await ClaimAsync()).Faults.ShouldBe(1);
    }

    private Task ReleaseIllAsync(LaneLease lease) => Store.ReleaseLaneAsync(lease, new("The test says so.", Pause), Cancel);
}
