using ApiJobs.Jobs;
using ApiJobs.Storage;
using ApiJobs.Stores.Tests.Broken;

namespace ApiJobs.Stores.Tests.Engine;

/// <summary>A real store of which one call of the worker's fails, before it was made or after: as if the answer was lost.</summary>
internal sealed class FaultingStore(IWholeStore sound, int failingCall, bool afterTheCall) : StoreDecorator(sound)
{
    private int _calls;

    // A lane whose claim's answer was lost would wait for its lease; that is what leases are for, and another test.
    public override async Task<LaneLease?> ClaimLaneAsync(string node, TimeSpan leaseFor, CancellationToken cancellationToken)
    {
        FailIf(Interlocked.Increment(ref _calls) - 1 == failingCall);
        return await base.ClaimLaneAsync(node, leaseFor, cancellationToken);
    }

    public override Task<bool> RenewLeaseAsync(LaneLease lease, TimeSpan leaseFor, CancellationToken cancellationToken) =>
        FaultAsync(() => base.RenewLeaseAsync(lease, leaseFor, cancellationToken));

    public override Task<bool> IsLaneWaitingAsync(CancellationToken cancellationToken) => FaultAsync(() => base.IsLaneWaitingAsync(cancellationToken));

    public override Task<IReadOnlyList<PendingChunk>> ReadAheadAsync(
        LaneLease lease, PendingChunk? after, int maxRecords, CancellationToken cancellationToken) =>
        FaultAsync(() => base.ReadAheadAsync(lease, after, Math.Min(maxRecords, 10), cancellationToken));

    public override Task<IReadOnlyList<ApiJob>> ApplyAsync(
        LaneLease lease, IReadOnlyList<PendingChunk> chunks, ApplyChunks apply, CancellationToken cancellationToken) =>
        FaultAsync(() => base.ApplyAsync(lease, chunks, apply, cancellationToken));

    public override StoreFault Classify(Exception exception) =>
        exception is StoreUnavailableException ? StoreFault.Transient : base.Classify(exception);

    private async Task<T> FaultAsync<T>(Func<Task<T>> call)
    {
        var fails = Interlocked.Increment(ref _calls) - 1 == failingCall;
        FailIf(fails && !afterTheCall);
        var result = await call();
        FailIf(fails && afterTheCall);
        return result;
    }

    private static void FailIf(bool fails)
    {
        if (fails)
            throw new StoreUnavailableException("Injected.");
    }
}
