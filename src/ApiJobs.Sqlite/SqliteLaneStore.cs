using ApiJobs.Jobs;
using ApiJobs.Sqlite.Applying;
using ApiJobs.Sqlite.Asking;
using ApiJobs.Sqlite.Connections;
using ApiJobs.Sqlite.Lanes;
using ApiJobs.Sqlite.Resources;
using ApiJobs.Storage;

namespace ApiJobs.Sqlite;

/// <inheritdoc cref="ILaneStore"/>
/// <remarks>Who holds a lease is kept in memory; the node's name is not, because there is one node.</remarks>
internal sealed class SqliteLaneStore(SqliteDatabase database, LaneQueue lanes, ResourceTables tables) : ILaneStore
{
    private readonly EffectPace _pace = new(database.Clock);
    private readonly ChunkApplying _applying = new(tables, database.Clock);

    public Task<LaneLease?> ClaimLaneAsync(string node, TimeSpan leaseFor, CancellationToken cancellationToken) =>
        Task.FromResult(lanes.Claim(node, leaseFor));

    public Task<bool> RenewLeaseAsync(LaneLease lease, TimeSpan leaseFor, CancellationToken cancellationToken) =>
        Task.FromResult(lanes.Renew(lease, leaseFor));

    public async Task ReleaseLaneAsync(LaneLease lease, LaneFault? fault, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(lease);
        // What is stored is for operators, and for the next start; who is served next follows from what is in memory.
        if (lanes.Release(lease, fault) && (fault is not null || lease.Faults > 0))
            await database.WriteAsync(
                session =>
                {
                    var now = database.Clock.Now;
                    if (fault is not null)
                        LogRows.Add(session, lease, fault, now);
                    return LaneRows.KeepFault(session, lease, fault, now);
                }, cancellationToken);
    }

    public Task<bool> IsLaneWaitingAsync(CancellationToken cancellationToken) => Task.FromResult(lanes.IsAnyWaiting());

    public Task WaitForWorkAsync(TimeSpan atMost, CancellationToken cancellationToken) => lanes.WaitAsync(atMost, cancellationToken);

    public Task<IReadOnlyList<PendingChunk>> ReadAheadAsync(
        LaneLease lease, PendingChunk? after, int maxRecords, CancellationToken cancellationToken) =>
        database.ReadAsync(session => ChunkRows.Ahead(session, lease, after, maxRecords), cancellationToken);

    /// <inheritdoc/>
    /// <remarks>Beyond the cursors it checks that the jobs are the lane's first unfinished ones, so that not even a lost lease can change their order.</remarks>
    public async Task<IReadOnlyList<ApiJob>> ApplyAsync(
        LaneLease lease, IReadOnlyList<PendingChunk> chunks, ApplyChunks apply, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(chunks);
        var applied = await database.WriteAsync(
            session => _applying.ApplyAsync(session, lease, chunks, _pace.Measuring(chunks, apply), cancellationToken), _pace.TurnOf(chunks), cancellationToken,
            committed => lanes.Move(lease.CompanyId, lease.Lane, committed.Lane));
        return applied.Jobs;
    }

    public StoreFault Classify(Exception exception) => SqliteFaults.Classify(exception);
}
