using ApiJobs.Jobs;
using ApiJobs.Storage;

namespace ApiJobs.Stores.Tests.Engine;

/// <summary>A real store of which one call of the worker's fails, before it was made or after: as if the answer was lost.</summary>
internal sealed class FaultingStore(IJobStore store, int failingCall, bool afterTheCall) : IJobStore
{
    private int _calls;

    public Task InitializeAsync(CancellationToken cancellationToken) => store.InitializeAsync(cancellationToken);

    public Task PingAsync(CancellationToken cancellationToken) => store.PingAsync(cancellationToken);

    public Task<bool> AppendChunkAsync(Guid companyId, Guid jobId, Chunk chunk, CancellationToken cancellationToken) =>
        store.AppendChunkAsync(companyId, jobId, chunk, cancellationToken);

    public Task<ApiJob?> SealJobAsync(NewJob job, Chunk lastChunk, CancellationToken cancellationToken) =>
        store.SealJobAsync(job, lastChunk, cancellationToken);

    public Task AbandonUploadAsync(Guid companyId, Guid jobId, CancellationToken cancellationToken) =>
        store.AbandonUploadAsync(companyId, jobId, cancellationToken);

    public Task<int> SweepUploadsAsync(TimeSpan idleFor, CancellationToken cancellationToken) => store.SweepUploadsAsync(idleFor, cancellationToken);

    public Task<ApiJob?> FindJobAsync(Guid companyId, Guid jobId, CancellationToken cancellationToken) =>
        store.FindJobAsync(companyId, jobId, cancellationToken);

    public Task<IReadOnlyList<ChunkResult>> ReadResultsAsync(
        Guid companyId, Guid jobId, int fromChunk, int maxChunks, CancellationToken cancellationToken) =>
        store.ReadResultsAsync(companyId, jobId, fromChunk, maxChunks, cancellationToken);

    // A lane whose claim's answer was lost would wait for its lease; that is what leases are for, and another test.
    public async Task<LaneLease?> ClaimLaneAsync(TimeSpan leaseFor, CancellationToken cancellationToken)
    {
        FailIf(Interlocked.Increment(ref _calls) - 1 == failingCall);
        return await store.ClaimLaneAsync(leaseFor, cancellationToken);
    }

    public Task<bool> RenewLeaseAsync(LaneLease lease, TimeSpan leaseFor, CancellationToken cancellationToken) =>
        FaultAsync(() => store.RenewLeaseAsync(lease, leaseFor, cancellationToken));

    public Task ReleaseLaneAsync(LaneLease lease, CancellationToken cancellationToken) => store.ReleaseLaneAsync(lease, cancellationToken);

    public Task<bool> IsLaneWaitingAsync(CancellationToken cancellationToken) => FaultAsync(() => store.IsLaneWaitingAsync(cancellationToken));

    public Task WaitForWorkAsync(TimeSpan atMost, CancellationToken cancellationToken) => store.WaitForWorkAsync(atMost, cancellationToken);

    public Task<IReadOnlyList<PendingChunk>> ReadAheadAsync(
        LaneLease lease, PendingChunk? after, int maxRecords, CancellationToken cancellationToken) =>
        FaultAsync(() => store.ReadAheadAsync(lease, after, Math.Min(maxRecords, 10), cancellationToken));

    public Task<bool> ApplyAsync(
        LaneLease lease, IReadOnlyList<PendingChunk> chunks, ApplyChunks apply, DateTimeOffset startedAt, CancellationToken cancellationToken) =>
        FaultAsync(() => store.ApplyAsync(lease, chunks, apply, startedAt, cancellationToken));

    public Task<IReadOnlyList<Guid>> ReadCompaniesAsync(Guid? after, int max, CancellationToken cancellationToken) =>
        store.ReadCompaniesAsync(after, max, cancellationToken);

    public Task<bool> RemoveEndedAsync(Guid companyId, DateTimeOffset endedBefore, EndedPart part, CancellationToken cancellationToken) =>
        store.RemoveEndedAsync(companyId, endedBefore, part, cancellationToken);

    public StoreFault Classify(Exception exception) => exception is StoreUnavailableException ? StoreFault.Transient : store.Classify(exception);

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
