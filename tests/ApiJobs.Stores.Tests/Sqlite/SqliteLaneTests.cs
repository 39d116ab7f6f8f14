using ApiJobs.Sqlite;
using ApiJobs.Storage;

namespace ApiJobs.Stores.Tests.Sqlite;

/// <summary>Lanes that are left alone for a while, as the memory of the one process has them.</summary>
public sealed class SqliteLaneTests : IDisposable
{
    private static readonly TimeSpan Lease = TimeSpan.FromHours(1), Patience = TimeSpan.FromSeconds(30);
    private readonly SqliteFolder _folder = new();
    private readonly Guid _company = Guid.CreateVersion7();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_worker_that_waits_already_is_woken_when_an_ill_lane_is_due()
    {
        await using var store = await _folder.OpenAsync();
        var lease = await ClaimAsync(store);
        var waiting = store.Lanes.WaitForWorkAsync(TimeSpan.FromHours(5), Stop);

        await store.Lanes.ReleaseLaneAsync(lease, new("The operation is gone.", TimeSpan.FromSeconds(2)), Stop);
        // It may be woken early to find out how long it has to wait now.
        await waiting.WaitAsync(Patience, Stop);
        (await store.Lanes.ClaimLaneAsync("node", Lease, Stop)).ShouldBeNull();
        waiting = store.Lanes.WaitForWorkAsync(TimeSpan.FromHours(5), Stop);
        _folder.Time.Advance(TimeSpan.FromSeconds(2));

        await waiting.WaitAsync(Patience, Stop);
        (await store.Lanes.ClaimLaneAsync("node", Lease, Stop)).ShouldNotBeNull().Faults.ShouldBe(1);
    }

    private async Task<LaneLease> ClaimAsync(SqliteStore store)
    {
        await store.Jobs.SealJobAsync(SqliteFolder.NewJob(_company), SqliteFolder.Chunk(), Stop);
        return (await store.Lanes.ClaimLaneAsync("node", Lease, Stop)).ShouldNotBeNull();
    }
}
