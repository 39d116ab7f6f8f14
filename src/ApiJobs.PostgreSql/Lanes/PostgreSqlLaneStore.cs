using ApiJobs.Jobs;
using ApiJobs.PostgreSql.Applying;
using ApiJobs.PostgreSql.Session;
using ApiJobs.Storage;

namespace ApiJobs.PostgreSql.Lanes;

/// <summary>What workers need of the store: lanes, what waits in them, and the transaction that applies it.</summary>
internal sealed class PostgreSqlLaneStore(
    LaneClaims claims, ReadAhead readAhead, ChunkApplication application, WorkSignal signal, WorkListener? listener) : ILaneStore
{
    public Task<LaneLease?> ClaimLaneAsync(string node, TimeSpan leaseFor, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(node);
        return claims.ClaimAsync(node, leaseFor, cancellationToken);
    }

    public Task<bool> RenewLeaseAsync(LaneLease lease, TimeSpan leaseFor, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(lease);
        return claims.RenewAsync(lease, leaseFor, cancellationToken);
    }

    public Task ReleaseLaneAsync(LaneLease lease, LaneFault? fault, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(lease);
        return claims.ReleaseAsync(lease, fault, cancellationToken);
    }

    public Task<bool> IsLaneWaitingAsync(CancellationToken cancellationToken) => claims.IsWaitingAsync(cancellationToken);

    public Task WaitForWorkAsync(TimeSpan atMost, CancellationToken cancellationToken)
    {
        // Nodes that only accept never wait for work, so they never open the listening connection.
        listener?.Start();
        return signal.WaitAsync(atMost, cancellationToken);
    }

    public Task<IReadOnlyList<PendingChunk>> ReadAheadAsync(
        LaneLease lease, PendingChunk? after, int maxRecords, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(lease);
        return readAhead.ReadAsync(lease, after, maxRecords, cancellationToken);
    }

    public Task<IReadOnlyList<ApiJob>> ApplyAsync(
        LaneLease lease, IReadOnlyList<PendingChunk> chunks, ApplyChunks apply, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(lease);
        ArgumentNullException.ThrowIfNull(chunks);
        ArgumentNullException.ThrowIfNull(apply);
        return application.ApplyAsync(lease, chunks, apply, cancellationToken);
    }

    public StoreFault Classify(Exception exception) => PostgreSqlFaults.Classify(exception);
}
