using ApiJobs.Storage;

namespace ApiJobs.Stores.Tests.Conformance;

/// <summary>A lane that cannot go on is left alone for a while, and nobody else waits for it.</summary>
public abstract class LaneFaultTests(StoreFixture stores) : StoreTests(stores)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(5), Moment = TimeSpan.FromSeconds(5);

    private static readonly LaneFault Fault = new("The disk of the letters is full.", Pause);

    [Fact]
    public async Task A_lane_given_back_with_a_fault_is_claimed_again_when_its_pause_is_over()
    {
        var job = await AcceptAsync(Company, 1);
        await Store.ReleaseLaneAsync(await ClaimAsync(), Fault, Cancel);

        (await Store.ClaimLaneAsync(NodeName, LeaseTime, Cancel)).ShouldBeNull();
        (await Store.IsLaneWaitingAsync(Cancel)).ShouldBeFalse();
        await Database.PassTimeAsync(Pause - Moment);
        (await Store.ClaimLaneAsync(NodeName, LeaseTime, Cancel)).ShouldBeNull();
        await Database.PassTimeAsync(2 * Moment);

        (await Store.IsLaneWaitingAsync(Cancel)).ShouldBeTrue();
        (await ReadAheadAsync(await ClaimAsync())).ShouldHaveSingleItem().Job.Id.ShouldBe(job.Id);
    }

    [Fact]
    public async Task New_work_does_not_shorten_the_pause()
    {
        await AcceptAsync(Company, 1);
        await Store.ReleaseLaneAsync(await ClaimAsync(), Fault, Cancel);

        await AcceptAsync(Company, 1);

        (await Store.ClaimLaneAsync(NodeName, LeaseTime, Cancel)).ShouldBeNull();
        await Database.PassTimeAsync(Pause + Moment);
        (await ReadAheadAsync(await ClaimAsync())).Count.ShouldBe(2);
    }

    [Fact]
    public async Task Other_lanes_are_claimed_meanwhile_also_the_same_companys()
    {
        await AcceptAsync(Company, 1);
        await Store.ReleaseLaneAsync(await ClaimAsync(), Fault, Cancel);
        await AcceptAsync(Store, Company, "imports", 1);
        await AcceptAsync(OtherCompany, 1);

        var lanes = new[] { await ClaimAsync(), await ClaimAsync() };

        lanes.Select(lease => (lease.CompanyId, lease.Lane)).ShouldBe([(Company, "imports"), (OtherCompany, "")], ignoreOrder: true);
        lanes.ShouldAllBe(lease => lease.Faults == 0);
    }

    [Fact]
    public async Task Faults_count_up_until_the_lane_is_well()
    {
        await AcceptAsync(Company, 1);
        for (var faults = 0; faults < 4; faults++)
        {
            var ill = await ClaimAsync();
            ill.Faults.ShouldBe(faults);
            await Store.ReleaseLaneAsync(ill, Fault, Cancel);
            await Database.PassTimeAsync(Pause + Moment);
        }

        var lease = await ClaimAsync();
        lease.Faults.ShouldBe(4);
        await Store.ReleaseLaneAsync(lease, fault: null, Cancel);

        (await ClaimAsync()).Faults.ShouldBe(0);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Pause_and_faults_survive_the_node(bool crash)
    {
        await AcceptAsync(Company, 1);
        await Store.ReleaseLaneAsync(await ClaimAsync(), Fault, Cancel);

        await (crash ? CrashAndRestartAsync() : RestartAsync());

        (await Store.ClaimLaneAsync(NodeName, LeaseTime, Cancel)).ShouldBeNull();
        await Database.PassTimeAsync(Pause + Moment);
        (await ClaimAsync()).Faults.ShouldBe(1);
    }

    [Fact]
    public async Task A_fault_of_a_lease_that_was_lost_means_nothing()
    {
        await AcceptAsync(Company, 1);
        var lost = await ClaimAsync();
        await Database.PassTimeAsync(LeaseTime + Moment);
        var lease = await ClaimAsync();

        await Store.ReleaseLaneAsync(lost, Fault, Cancel);

        (await Store.RenewLeaseAsync(lease, LeaseTime, Cancel)).ShouldBeTrue();
        await Store.ReleaseLaneAsync(lease, fault: null, Cancel);
        (await ClaimAsync()).Faults.ShouldBe(0);
    }

    [Fact]
    public async Task A_long_message_is_no_fault_of_its_own()
    {
        await AcceptAsync(Company, 1);

        await Store.ReleaseLaneAsync(await ClaimAsync(), new(string.Concat(Enumerable.Repeat("длинно \U0001F4DC ", 10_000)), Pause), Cancel);

        await Database.PassTimeAsync(Pause + Moment);
        (await ClaimAsync()).Faults.ShouldBe(1);
    }
}
