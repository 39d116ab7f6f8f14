using ApiJobs.Jobs;
using ApiJobs.Sqlite.Applying;
using ApiJobs.Sqlite.Session;
using ApiJobs.Storage;

namespace ApiJobs.Sqlite.Lanes;

/// <summary>Serving lanes, on one SQLite file that one process owns.</summary>
internal sealed class SqliteLaneStore(SqliteSession session, LaneQueue lanes, CursorMove cursors) : ILaneStore
{
    // Chunks with more records than this get a transaction of their own, which accepts need not wait for.
    private const int MaxSharedRecords = 100;

    /// <inheritdoc/>
    public Task<LaneLease?> ClaimLaneAsync(string node, TimeSpan leaseFor, CancellationToken cancellationToken) =>
        Task.FromResult(lanes.Claim(node, leaseFor));

    /// <inheritdoc/>
    public Task<bool> RenewLeaseAsync(LaneLease lease, TimeSpan leaseFor, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(lease);
        return Task.FromResult(lanes.Renew(lease, leaseFor));
    }

    /// <inheritdoc/>
    /// <remarks>In memory the lane is given back in any case. Only when its health changed is something written, and only so that a restart knows it too.</remarks>
    public async Task ReleaseLaneAsync(LaneLease lease, LaneFault? fault, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(lease);
        if (!lanes.Release(lease, fault, session.Clock.Now()))
            return;
        await session.WriteAsync(connection =>
        {
            // As it is when its turn to be written comes: somebody may have claimed the lane, and given it back, since.
            LaneRows.Keep(connection, lease.CompanyId, lease.Lane, lanes.IllnessOf(lease.CompanyId, lease.Lane));
            return true;
        }, cancellationToken);
    }

    /// <inheritdoc/>
    public Task<bool> IsLaneWaitingAsync(CancellationToken cancellationToken) => Task.FromResult(lanes.IsAnyWaiting());

    /// <inheritdoc/>
    public Task WaitForWorkAsync(TimeSpan atMost, CancellationToken cancellationToken) => lanes.WaitAsync(atMost, cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<PendingChunk>> ReadAheadAsync(
        LaneLease lease, PendingChunk? after, int maxRecords, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(lease);
        return session.ReadAsync(connection => ReadingAhead.Read(connection, lease, after, maxRecords), cancellationToken);
    }

    /// <inheritdoc/>
    /// <remarks>Beyond the cursors it checks that the jobs are the lane's first unfinished ones, so that not even a lost lease can change their order.</remarks>
    public async Task<IReadOnlyList<ApiJob>> ApplyAsync(
        LaneLease lease, IReadOnlyList<PendingChunk> chunks, ApplyChunks apply, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(lease);
        ArgumentNullException.ThrowIfNull(chunks);
        ArgumentNullException.ThrowIfNull(apply);
        var moved = await session.WriteAsync(
            connection => cursors.ApplyAsync(connection, lease, chunks, apply, cancellationToken),
            chunks.Sum(pending => pending.Chunk.RecordCount) > MaxSharedRecords ? WriterTurn.Alone : WriterTurn.Shared, cancellationToken,
            committed => lanes.Move(lease.CompanyId, lease.Lane, committed.Lane));
        return moved.Jobs;
    }

    /// <inheritdoc/>
    public StoreFault Classify(Exception exception) => SqliteFaults.Classify(exception);
}
