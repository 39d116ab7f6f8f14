using ApiJobs.Jobs;
using ApiJobs.Storage;

namespace ApiJobs.Server.Tests.Contract;

/// <summary>A store whose calls can be awaited, held up and made to fail.</summary>
public sealed class WatchedStore(IJobStore store) : IJobStore
{
    private volatile bool _away;
    private volatile bool _held;

    /// <summary>A chunk of an unfinished upload was stored.</summary>
    public Signal Appended { get; } = new();

    /// <summary>An upload was given up and removed.</summary>
    public Signal Abandoned { get; } = new();

    /// <summary>Chunks were applied.</summary>
    public Signal Applied { get; } = new();

    /// <summary>Makes every call fail until disposed.</summary>
    public IDisposable TakeAway()
    {
        _away = true;
        return new Ending(() => _away = false);
    }

    /// <summary>Lets no worker begin until disposed: accepted jobs stay pending.</summary>
    public IDisposable HoldWork()
    {
        _held = true;
        return new Ending(() => _held = false);
    }

    public Task InitializeAsync(CancellationToken cancellationToken) => store.InitializeAsync(cancellationToken);

    public Task PingAsync(CancellationToken cancellationToken) => Here().PingAsync(cancellationToken);

    public async Task<bool> AppendChunkAsync(Guid companyId, Guid jobId, Chunk chunk, CancellationToken cancellationToken)
    {
        var appended = await Here().AppendChunkAsync(companyId, jobId, chunk, cancellationToken);
        Appended.Raise();
        return appended;
    }

    public Task<ApiJob?> SealJobAsync(NewJob job, Chunk lastChunk, CancellationToken cancellationToken) =>
        Here().SealJobAsync(job, lastChunk, cancellationToken);

    public async Task AbandonUploadAsync(Guid companyId, Guid jobId, CancellationToken cancellationToken)
    {
        await Here().AbandonUploadAsync(companyId, jobId, cancellationToken);
        Abandoned.Raise();
    }

    public Task<int> SweepUploadsAsync(TimeSpan idleFor, CancellationToken cancellationToken) =>
        Here().SweepUploadsAsync(idleFor, cancellationToken);

    public Task<ApiJob?> FindJobAsync(Guid companyId, Guid jobId, CancellationToken cancellationToken) =>
        Here().FindJobAsync(companyId, jobId, cancellationToken);

    public Task<IReadOnlyList<ChunkResult>> ReadResultsAsync(
        Guid companyId, Guid jobId, int fromChunk, int maxChunks, CancellationToken cancellationToken) =>
        Here().ReadResultsAsync(companyId, jobId, fromChunk, maxChunks, cancellationToken);

    public async Task<LaneLease?> ClaimLaneAsync(TimeSpan leaseFor, CancellationToken cancellationToken) =>
        _held ? null : await Here().ClaimLaneAsync(leaseFor, cancellationToken);

    public Task<bool> RenewLeaseAsync(LaneLease lease, TimeSpan leaseFor, CancellationToken cancellationToken) =>
        Here().RenewLeaseAsync(lease, leaseFor, cancellationToken);

    public Task ReleaseLaneAsync(LaneLease lease, CancellationToken cancellationToken) => Here().ReleaseLaneAsync(lease, cancellationToken);

    public Task<bool> IsLaneWaitingAsync(CancellationToken cancellationToken) => Here().IsLaneWaitingAsync(cancellationToken);

    public Task WaitForWorkAsync(TimeSpan atMost, CancellationToken cancellationToken) => store.WaitForWorkAsync(atMost, cancellationToken);

    public Task<IReadOnlyList<PendingChunk>> ReadAheadAsync(
        LaneLease lease, PendingChunk? after, int maxRecords, CancellationToken cancellationToken) =>
        Here().ReadAheadAsync(lease, after, maxRecords, cancellationToken);

    public async Task<bool> ApplyAsync(
        LaneLease lease, IReadOnlyList<PendingChunk> chunks, ApplyChunks apply, DateTimeOffset startedAt,
        CancellationToken cancellationToken)
    {
        var applied = await Here().ApplyAsync(lease, chunks, apply, startedAt, cancellationToken);
        Applied.Raise();
        return applied;
    }

    public Task<IReadOnlyList<Guid>> ReadCompaniesAsync(Guid? after, int max, CancellationToken cancellationToken) =>
        Here().ReadCompaniesAsync(after, max, cancellationToken);

    public Task<bool> RemoveEndedAsync(Guid companyId, DateTimeOffset endedBefore, EndedPart part, CancellationToken cancellationToken) =>
        Here().RemoveEndedAsync(companyId, endedBefore, part, cancellationToken);

    public StoreFault Classify(Exception exception) => store.Classify(exception);

    private IJobStore Here() => _away ? throw new StoreUnavailableException("The test took the store away.") : store;

    private sealed class Ending(Action end) : IDisposable
    {
        public void Dispose() => end();
    }
}
