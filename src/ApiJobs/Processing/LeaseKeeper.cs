using ApiJobs.Storage;

namespace ApiJobs.Processing;

/// <summary>Renews a lease while its lane is served, and says when it is lost.</summary>
internal sealed class LeaseKeeper : IAsyncDisposable
{
    private readonly CancellationTokenSource _lost = new();
    private readonly CancellationTokenSource _done = new();
    private readonly Task _renewing;

    public LeaseKeeper(LaneLease lease, WorkerNode node)
    {
        Lost = _lost.Token;
        _renewing = RenewAsync(lease, node);
    }

    /// <summary>Cancelled when the lease is lost: the holder must stop.</summary>
    public CancellationToken Lost { get; }

    public async ValueTask DisposeAsync()
    {
        await _done.CancelAsync();
        await _renewing;
        _done.Dispose();
        _lost.Dispose();
    }

    private async Task RenewAsync(LaneLease lease, WorkerNode node)
    {
        var (leaseFor, time) = (node.Options.Lease, node.Time);
        // Renew at a third of the lease, so two failed renewals still leave time to stop cleanly.
        using var timer = new PeriodicTimer(leaseFor / 3, time);
        var renewedAt = time.GetTimestamp();
        try
        {
            while (await timer.WaitForNextTickAsync(_done.Token))
            {
                var askedAt = time.GetTimestamp();
                try
                {
                    if (!await node.Store.RenewLeaseAsync(lease, leaseFor, _done.Token))
                        break;
                    renewedAt = askedAt;
                }
                catch (StoreUnavailableException exception)
                {
                    node.Outage.Note(exception);
                    if (time.GetElapsedTime(renewedAt) >= leaseFor)
                        break;
                }
            }
        }
        catch (OperationCanceledException)
        {
            return;
        }

        node.Logger.LeaseLost(lease.Lane, lease.CompanyId);
        await _lost.CancelAsync();
    }
}
