using System.Runtime.ExceptionServices;
using ApiJobs.Jobs;
using ApiJobs.Resources;
using ApiJobs.Storage;
using Microsoft.Extensions.Logging;

namespace ApiJobs.Sqlite;

/// <summary>The embedded store: the jobs and the resources' rows in one SQLite file that one process owns.</summary>
/// <remarks>
/// <para>All writing goes through one connection, which commits together what arrives together (<see cref="SqliteWriter"/>);
/// reading has a pool of its own and never waits for it. An answer is given after the fsync of its commit.</para>
/// <para>Leases live in memory (<see cref="LaneQueue"/>): after a crash no lane waits for a dead one.</para>
/// <para>The effects of <see cref="ApplyAsync"/> run while nothing else can write, so they must not call the writing methods
/// of this store: they would wait for themselves.</para>
/// </remarks>
public sealed class SqliteStore : IJobStore, IResourceStore, IAsyncDisposable
{
    // Chunks with more records than this get a transaction of their own, which accepts need not wait for.
    private const int MaxSharedRecords = 100;

    private const int UploadsPerSweep = 64;

    private readonly SqliteFile _file;
    private readonly ResourceTables _tables;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly SqliteReaders _readers;
    private readonly LaneQueue _lanes;
    private readonly ChunkApplier _applier;
    private readonly SemaphoreSlim _starting = new(1);
    private SqliteWriter? _writer;

    /// <summary>Makes the store; <see cref="InitializeAsync"/> opens the file.</summary>
    /// <exception cref="ArgumentException">The options do not name a file, or a resource has the name of one of the store's own tables.</exception>
    public SqliteStore(SqliteStoreOptions options, ResourceCatalog catalog, TimeProvider time, ILogger<SqliteStore> logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(catalog);
        _file = new SqliteFile(options);
        _tables = new ResourceTables(catalog);
        _time = time;
        _logger = logger;
        _readers = new SqliteReaders(_file, options.MaxReaders);
        _lanes = new LaneQueue(time);
        _applier = new ChunkApplier(_tables, time);
    }

    private SqliteWriter Writer => _writer
        ?? throw new InvalidOperationException("The SQLite store is not open. Call InitializeAsync first.");

    /// <inheritdoc/>
    /// <remarks>Makes the file and its folder if they are missing. A second call does nothing.</remarks>
    /// <exception cref="InvalidOperationException">Another process, or another store of this one, has the file open; or a field was declared anew with another type.</exception>
    public async Task InitializeAsync(CancellationToken cancellationToken)
    {
        await _starting.WaitAsync(cancellationToken);
        try
        {
            if (_writer is not null)
                return;
            _file.Lock();
            _writer = new SqliteWriter(_file, OpenUpgraded(), _time, _logger);
        }
        catch (Exception exception)
        {
            _file.Dispose();
            ExceptionDispatchInfo.Throw(SqliteFaults.ForCaller(exception));
        }
        finally
        {
            _starting.Release();
        }
    }

    /// <inheritdoc/>
    public Task PingAsync(CancellationToken cancellationToken) => _readers.ReadAsync(session =>
    {
        using var any = session.Use("SELECT 1 FROM lanes LIMIT 1");
        return any.Read();
    }, cancellationToken);

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">The chunk is not the next of its upload: a fault of the caller.</exception>
    public Task<bool> AppendChunkAsync(Guid companyId, Guid jobId, Chunk chunk, CancellationToken cancellationToken) =>
        Writer.WriteAsync(session => JobIntake.Append(session, companyId, jobId, chunk, _time.GetUtcNow()), cancellationToken);

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">The chunk is not the next of its upload: a fault of the caller.</exception>
    public async Task<ApiJob?> SealJobAsync(NewJob job, Chunk lastChunk, CancellationToken cancellationToken)
    {
        var sealedJob = await Writer.WriteAsync(
            session => JobIntake.Seal(session, job, lastChunk), cancellationToken,
            committed => MoveLane(job.CompanyId, job.Lane, committed?.Lane));
        return sealedJob?.Job;
    }

    /// <inheritdoc/>
    public Task AbandonUploadAsync(Guid companyId, Guid jobId, CancellationToken cancellationToken) =>
        RemoveUploadAsync(companyId, jobId, DateTimeOffset.MaxValue, cancellationToken);

    /// <inheritdoc/>
    public async Task<int> SweepUploadsAsync(TimeSpan idleFor, CancellationToken cancellationToken)
    {
        var untouchedSince = _time.GetUtcNow() - idleFor;
        var removed = 0;
        List<(Guid CompanyId, Guid JobId)> stale;
        do
        {
            stale = await _readers.ReadAsync(session => JobIntake.Stale(session, untouchedSince, UploadsPerSweep), cancellationToken);
            foreach (var (companyId, jobId) in stale)
                removed += await RemoveUploadAsync(companyId, jobId, untouchedSince, cancellationToken) ? 1 : 0;
        }
        while (stale.Count == UploadsPerSweep);
        return removed;
    }

    /// <inheritdoc/>
    public Task<ApiJob?> FindJobAsync(Guid companyId, Guid jobId, CancellationToken cancellationToken) =>
        _readers.ReadAsync(session => JobRows.Find(session, companyId, jobId), cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<ChunkResult>> ReadResultsAsync(
        Guid companyId, Guid jobId, int fromChunk, int maxChunks, CancellationToken cancellationToken) =>
        _readers.ReadAsync(session => JobRows.Results(session, companyId, jobId, fromChunk, maxChunks), cancellationToken);

    /// <inheritdoc/>
    public Task<LaneLease?> ClaimLaneAsync(TimeSpan leaseFor, CancellationToken cancellationToken) =>
        Task.FromResult(_lanes.Claim(leaseFor));

    /// <inheritdoc/>
    public Task<bool> RenewLeaseAsync(LaneLease lease, TimeSpan leaseFor, CancellationToken cancellationToken) =>
        Task.FromResult(_lanes.Renew(lease, leaseFor));

    /// <inheritdoc/>
    public Task ReleaseLaneAsync(LaneLease lease, CancellationToken cancellationToken)
    {
        _lanes.Release(lease);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task<bool> IsLaneWaitingAsync(CancellationToken cancellationToken) =>
        Task.FromResult(_lanes.IsAnyWaiting());

    /// <inheritdoc/>
    public Task WaitForWorkAsync(TimeSpan atMost, CancellationToken cancellationToken) =>
        _lanes.WaitAsync(atMost, cancellationToken);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<PendingChunk>> ReadAheadAsync(
        LaneLease lease, PendingChunk? after, int maxRecords, CancellationToken cancellationToken)
    {
        var ahead = await _readers.ReadAsync(session => JobRows.Ahead(session, lease, after, maxRecords), cancellationToken);
        // A job may have ended without its last chunk. When no other is left behind it, no chunk will move the lane's head.
        if (ahead.Count == 0 && after is null)
            await Writer.WriteAsync(
                session => ChunkApplier.MoveHead(session, lease.CompanyId, lease.Lane), cancellationToken,
                lane => MoveLane(lease.CompanyId, lease.Lane, lane));
        return ahead;
    }

    /// <inheritdoc/>
    /// <remarks>Beyond the cursors it checks that the jobs are the lane's first unfinished ones, so that not even a lost lease can change their order.</remarks>
    public async Task<bool> ApplyAsync(
        LaneLease lease, IReadOnlyList<PendingChunk> chunks, ApplyChunks apply, DateTimeOffset startedAt,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(chunks);
        try
        {
            var (applied, _) = await Writer.WriteAsync(
                session => _applier.ApplyAsync(session, lease, chunks, apply, startedAt, cancellationToken),
                isLong: chunks.Sum(pending => pending.Chunk.RecordCount) > MaxSharedRecords, cancellationToken,
                committed => MoveLane(lease.CompanyId, lease.Lane, committed.Lane));
            return applied;
        }
        catch (EffectsException exception)
        {
            ExceptionDispatchInfo.Throw(exception.InnerException!);
            throw;
        }
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<Guid>> ReadCompaniesAsync(Guid? after, int max, CancellationToken cancellationToken) =>
        _readers.ReadAsync(session => EndedJobRows.Companies(session, after, max), cancellationToken);

    /// <inheritdoc/>
    /// <remarks>The room becomes free inside the file, which does not get smaller.</remarks>
    public Task<bool> RemoveEndedAsync(Guid companyId, DateTimeOffset endedBefore, EndedPart part, CancellationToken cancellationToken) =>
        Writer.WriteAsync(session => EndedJobRows.Remove(session, companyId, endedBefore, part), cancellationToken);

    /// <inheritdoc/>
    public StoreFault Classify(Exception exception) => SqliteFaults.Classify(exception);

    /// <inheritdoc/>
    public Task<ResourceRow?> FindRowAsync(Resource resource, Guid companyId, Guid id, CancellationToken cancellationToken)
    {
        var table = _tables[resource];
        return _readers.ReadAsync(session =>
        {
            using var select = session.Use(table.SelectKey, resource.AllFields, table.SelectSql);
            return select.Bind(1, companyId).Bind(2, id).Read() ? table.ReadRow(select, id, resource.AllFields) : null;
        }, cancellationToken);
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<ResourceRow>> ListRowsAsync(
        Resource resource, Guid companyId, ResourceQuery query, CancellationToken cancellationToken)
    {
        var table = _tables[resource];
        return _readers.ReadAsync(session => table.List(session, companyId, query), cancellationToken);
    }

    /// <summary>Writes what has been asked for, checkpoints the file and gives up its lock.</summary>
    public async ValueTask DisposeAsync()
    {
        _readers.Dispose();
        if (_writer is not null)
            await _writer.DisposeAsync();
        _file.Dispose();
    }

    private SqliteSession OpenUpgraded()
    {
        var session = SqliteSession.OpenWriter(_file);
        try
        {
            SchemaUpgrade.Run(session, _file, _logger);
            session.Begin();
            _tables.Make(session);
            session.Commit();
            LoadLanes(session);
            return session;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    private void LoadLanes(SqliteSession session)
    {
        using var lanes = session.Use("SELECT company_id, lane, head_position, tail_position FROM lanes WHERE head_position < tail_position");
        while (lanes.Read())
            _lanes.Move(lanes.Guid(0), lanes.Text(1), new LanePositions(lanes.Int64(2), lanes.Int64(3)));
    }

    private void MoveLane(Guid companyId, string lane, LanePositions? positions)
    {
        if (positions is { } moved)
            _lanes.Move(companyId, lane, moved);
    }

    private async Task<bool> RemoveUploadAsync(
        Guid companyId, Guid jobId, DateTimeOffset untouchedSince, CancellationToken cancellationToken)
    {
        if (!await Writer.WriteAsync(session => JobIntake.BeginRemoval(session, companyId, jobId, untouchedSince), cancellationToken))
            return false;
        while (true)
        {
            var removal = await Writer.WriteAsync(session => JobIntake.Remove(session, companyId, jobId), cancellationToken);
            if (removal != Removal.Unfinished)
                return removal == Removal.Done;
        }
    }
}
