using ApiJobs.Storage;

namespace ApiJobs.Stores.Tests.Conformance;

/// <summary>How long a claim holds, and what is left of it when it was lost.</summary>
public abstract class LeaseTests(StoreFixture stores) : StoreTests(stores)
{
    private static readonly TimeSpan PastTheLease = LeaseTime + TimeSpan.FromSeconds(1);

    [Fact]
    public async Task A_live_lease_cannot_be_taken_over()
    {
        await AcceptAsync(Company, 1);
        await ClaimAsync();
        await Database.PassTimeAsync(LeaseTime - TimeSpan.FromSeconds(5));

        (await Store.ClaimLaneAsync(NodeName, LeaseTime, Cancel)).ShouldBeNull();
    }

    [Fact]
    public async Task An_expired_lease_can_be_taken_over()
    {
        await AcceptAsync(Company, 1);
        var lost = await ClaimAsync();
        await Database.PassTimeAsync(PastTheLease);

        var lease = await ClaimAsync();

        lease.CompanyId.ShouldBe(Company);
        lease.Token.ShouldNotBe(lost.Token);
    }

    [Fact]
    public async Task The_lane_of_a_dead_node_can_be_taken_over()
    {
        var job = await AcceptAsync(Company, 2, 2);
        var lost = await ClaimAsync();
        await ApplyAsync(lost, (await ReadAheadAsync(lost))[0]);
        await CrashAndRestartAsync();
        await Database.PassTimeAsync(PastTheLease);

        var lease = await ClaimAsync();

        var rest = (await ReadAheadAsync(lease)).ShouldHaveSingleItem();
        (rest.Job.Id, rest.Chunk.Index).ShouldBe((job.Id, 1));
    }

    // A store may learn that a lane is empty only when it is given back. Then a lane whose holder died is claimed once for nothing.
    [Fact]
    public async Task A_lane_whose_holder_died_after_draining_it_is_claimed_once_more_at_most()
    {
        var job = await AcceptAsync(Company, 1);
        var lost = await ClaimAsync();
        await ApplyAsync(lost, await ReadAheadAsync(lost));
        await Database.PassTimeAsync(PastTheLease);

        if (await Store.ClaimLaneAsync(NodeName, LeaseTime, Cancel) is { } lease)
        {
            (await ReadAheadAsync(lease)).ShouldBeEmpty();
            await Store.ReleaseLaneAsync(lease, fault: null, Cancel);
        }

        (await Store.ClaimLaneAsync(NodeName, LeaseTime, Cancel)).ShouldBeNull();
        (await Store.IsLaneWaitingAsync(Cancel)).ShouldBeFalse();
        (await AppliedAsync(Company)).ShouldBe(RecordsOf(job));
    }

    [Fact]
    public async Task Renewing_prolongs_a_lease_from_now()
    {
        await AcceptAsync(Company, 1);
        var lease = await ClaimAsync();

        for (var renewal = 0; renewal < 3; renewal++)
        {
            await Database.PassTimeAsync(0.7 * LeaseTime);
            (await Store.RenewLeaseAsync(lease, LeaseTime, Cancel)).ShouldBeTrue();
            (await Store.ClaimLaneAsync(NodeName, LeaseTime, Cancel)).ShouldBeNull();
        }

        await Database.PassTimeAsync(PastTheLease);
        (await ClaimAsync()).Token.ShouldNotBe(lease.Token);
    }

    [Fact]
    public async Task An_expired_lease_that_nobody_took_can_be_renewed()
    {
        await AcceptAsync(Company, 1);
        var lease = await ClaimAsync();
        await Database.PassTimeAsync(PastTheLease);

        (await Store.RenewLeaseAsync(lease, LeaseTime, Cancel)).ShouldBeTrue();

        (await Store.ClaimLaneAsync(NodeName, LeaseTime, Cancel)).ShouldBeNull();
    }

    [Fact]
    public async Task A_lost_lease_cannot_be_renewed()
    {
        var (lost, lease) = await TakeOverAsync();

        (await Store.RenewLeaseAsync(lost, LeaseTime, Cancel)).ShouldBeFalse();

        (await Store.RenewLeaseAsync(lease, LeaseTime, Cancel)).ShouldBeTrue();
    }

    [Fact]
    public async Task Renewing_a_lost_lease_does_not_prolong_the_new_one()
    {
        var (lost, _) = await TakeOverAsync();
        await Store.RenewLeaseAsync(lost, TimeSpan.FromHours(1), Cancel);
        await Database.PassTimeAsync(PastTheLease);

        (await Store.ClaimLaneAsync(NodeName, LeaseTime, Cancel)).ShouldNotBeNull();
    }

    [Fact]
    public async Task Releasing_a_lost_lease_does_not_end_the_new_one()
    {
        var (lost, _) = await TakeOverAsync();

        await Store.ReleaseLaneAsync(lost, fault: null, Cancel);

        (await Store.ClaimLaneAsync(NodeName, LeaseTime, Cancel)).ShouldBeNull();
    }

    [Fact]
    public async Task A_released_lane_can_be_claimed_at_once()
    {
        await AcceptAsync(Company, 1);
        var lease = await ClaimAsync();

        await Store.ReleaseLaneAsync(lease, fault: null, Cancel);

        (await ClaimAsync()).CompanyId.ShouldBe(Company);
    }

    [Fact]
    public async Task A_released_lease_cannot_take_the_lane_back()
    {
        await AcceptAsync(Company, 1);
        var released = await ClaimAsync();
        await Store.ReleaseLaneAsync(released, fault: null, Cancel);
        await ClaimAsync();

        (await Store.RenewLeaseAsync(released, LeaseTime, Cancel)).ShouldBeFalse();
        await Store.ReleaseLaneAsync(released, fault: null, Cancel);
        (await Store.ClaimLaneAsync(NodeName, LeaseTime, Cancel)).ShouldBeNull();
    }

    [Fact]
    public async Task Leases_hold_on_every_node()
    {
        await AcceptAsync(Company, 1);
        var other = await AnotherNodeAsync();
        var lease = await ClaimAsync();

        (await other.ClaimLaneAsync(NodeName, LeaseTime, Cancel)).ShouldBeNull();
        await Database.PassTimeAsync(PastTheLease);
        (await other.ClaimLaneAsync(NodeName, LeaseTime, Cancel)).ShouldNotBeNull();
        (await Store.RenewLeaseAsync(lease, LeaseTime, Cancel)).ShouldBeFalse();
    }

    [Fact]
    public async Task A_worker_that_was_overtaken_writes_nothing()
    {
        var job = await AcceptAsync(Company, 2);
        var lost = await ClaimAsync();
        var chunks = await ReadAheadAsync(lost);
        await Database.PassTimeAsync(PastTheLease);
        await DrainAsync(await AnotherNodeAsync());
        var ended = await FindAsync(job);

        (await ApplyAsync(lost, chunks)).ShouldBeFalse();

        (await FindAsync(job)).ShouldBe(ended);
        (await AppliedAsync(Company)).ShouldBe(RecordsOf(job));
    }

    private async Task<(LaneLease Lost, LaneLease Lease)> TakeOverAsync()
    {
        await AcceptAsync(Company, 1);
        var lost = await ClaimAsync();
        await Database.PassTimeAsync(PastTheLease);
        return (lost, await ClaimAsync());
    }
}
