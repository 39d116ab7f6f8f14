using ApiJobs.Jobs;
using ApiJobs.Records;
using ApiJobs.Storage;
using ApiJobs.Stores.Tests.Broken;

namespace ApiJobs.Server.Tests.Contract;

/// <summary>A store whose calls can be awaited, held up and made to fail.</summary>
public sealed class WatchedStore(IJobStore jobs, ILaneStore lanes, IUpkeep upkeep) : StoreDecorator(jobs, lanes, upkeep)
{
    private volatile bool _away;
    private volatile bool _isDiskLow;
    private volatile bool _held;
    private volatile bool _goesOnceSealed;
    private int _readingsLeft = int.MaxValue;

    /// <summary>A chunk of an unfinished upload was stored.</summary>
    public Signal Appended { get; } = new();

    /// <summary>An upload was given up and removed.</summary>
    public Signal Abandoned { get; } = new();

    /// <summary>Chunks were applied, or a job was ended otherwise.</summary>
    public Signal Applied { get; } = new();

    /// <summary>Makes what requests and workers ask of it fail until disposed.</summary>
    /// <param name="isDiskLow">Whether it is for want of room.</param>
    public IDisposable TakeAway(bool isDiskLow = false)
    {
        (_isDiskLow, _away) = (isDiskLow, true);
        return new Ending(() => _away = false);
    }

    /// <summary>Makes everything fail as soon as a job has been sealed, until disposed.</summary>
    public IDisposable TakeAwayOnceSealed()
    {
        _goesOnceSealed = true;
        return new Ending(() => _goesOnceSealed = _away = false);
    }

    /// <summary>Makes reading results fail after so many calls, until disposed.</summary>
    public IDisposable FailReadingAfter(int calls)
    {
        Volatile.Write(ref _readingsLeft, calls);
        return new Ending(() => Volatile.Write(ref _readingsLeft, int.MaxValue));
    }

    /// <summary>Lets no worker begin until disposed: accepted jobs stay pending.</summary>
    public IDisposable HoldWork()
    {
        _held = true;
        return new Ending(() => _held = false);
    }

    public override Task PingAsync(CancellationToken cancellationToken) => Here(() => base.PingAsync(cancellationToken));

    public override async Task<bool> AppendChunkAsync(Guid companyId, Guid jobId, Chunk chunk, CancellationToken cancellationToken)
    {
        var appended = await Here(() => base.AppendChunkAsync(companyId, jobId, chunk, cancellationToken));
        Appended.Raise();
        return appended;
    }

    public override async Task<SealResult> SealJobAsync(NewJob job, Chunk lastChunk, CancellationToken cancellationToken)
    {
        var result = await Here(() => base.SealJobAsync(job, lastChunk, cancellationToken));
        if (_goesOnceSealed)
            (_isDiskLow, _away) = (false, true);
        return result;
    }

    public override async Task AbandonUploadAsync(Guid companyId, Guid jobId, CancellationToken cancellationToken)
    {
        await Here(() => base.AbandonUploadAsync(companyId, jobId, cancellationToken));
        Abandoned.Raise();
    }

    public override Task<ApiJob?> FindJobAsync(Guid companyId, Guid jobId, CancellationToken cancellationToken) =>
        Here(() => base.FindJobAsync(companyId, jobId, cancellationToken));

    public override Task<string> ReadMessageAsync(Guid companyId, Guid jobId, int beforeChunk, CancellationToken cancellationToken) =>
        Here(() => base.ReadMessageAsync(companyId, jobId, beforeChunk, cancellationToken));

    public override Task<IReadOnlyList<ChunkResult>> ReadResultsAsync(
        Guid companyId, Guid jobId, int fromChunk, int maxChunks, CancellationToken cancellationToken) =>
        Interlocked.Decrement(ref _readingsLeft) < 0
            ? throw new StoreUnavailableException("The test lets no more be read.")
            : Here(() => base.ReadResultsAsync(companyId, jobId, fromChunk, maxChunks, cancellationToken));

    public override Task<IReadOnlyList<ErrorGroup>> ReadErrorsAsync(Guid companyId, Guid jobId, CancellationToken cancellationToken) =>
        Here(() => base.ReadErrorsAsync(companyId, jobId, cancellationToken));

    public override Task<JobPage> ListJobsAsync(Guid companyId, JobQuery query, CancellationToken cancellationToken) =>
        Here(() => base.ListJobsAsync(companyId, query, cancellationToken));

    public override Task<IReadOnlyList<long>> CountJobsBeforeAsync(Guid companyId, IReadOnlyList<ApiJob> unfinished, CancellationToken cancellationToken) =>
        Here(() => base.CountJobsBeforeAsync(companyId, unfinished, cancellationToken));

    public override Task<IReadOnlyList<JobLogLine>> ReadLogAsync(Guid companyId, Guid jobId, CancellationToken cancellationToken) =>
        Here(() => base.ReadLogAsync(companyId, jobId, cancellationToken));

    public override Task<Backlog> ReadBacklogAsync(Guid? companyId, CancellationToken cancellationToken) =>
        Here(() => base.ReadBacklogAsync(companyId, cancellationToken));

    public override async Task<EndResult> EndJobAsync(
        Guid companyId, Guid jobId, JobFailure failure, KeyedRequest? request, CancellationToken cancellationToken)
    {
        var result = await Here(() => base.EndJobAsync(companyId, jobId, failure, request, cancellationToken));
        Applied.Raise();
        return result;
    }

    public override Task<LaneLease?> ClaimLaneAsync(string node, TimeSpan leaseFor, CancellationToken cancellationToken) =>
        _held ? Task.FromResult<LaneLease?>(null) : Here(() => base.ClaimLaneAsync(node, leaseFor, cancellationToken));

    public override Task<bool> RenewLeaseAsync(LaneLease lease, TimeSpan leaseFor, CancellationToken cancellationToken) =>
        Here(() => base.RenewLeaseAsync(lease, leaseFor, cancellationToken));

    public override async Task<IReadOnlyList<PendingChunk>> ReadAheadAsync(
        LaneLease lease, PendingChunk? after, int maxRecords, CancellationToken cancellationToken)
    {
        var ahead = await Here(() => base.ReadAheadAsync(lease, after, maxRecords, cancellationToken));
        // A worker whose claim was on its way when work was held has the lane all the same.
        return _held ? [] : ahead;
    }

    public override async Task<IReadOnlyList<ApiJob>> ApplyAsync(
        LaneLease lease, IReadOnlyList<PendingChunk> chunks, ApplyChunks apply, CancellationToken cancellationToken)
    {
        var applied = await Here(() => base.ApplyAsync(lease, chunks, apply, cancellationToken));
        Applied.Raise();
        return applied;
    }

    private T Here<T>(Func<T> call) => _away ? throw new StoreUnavailableException("The test took the store away.") { IsDiskLow = _isDiskLow } : call();

    private sealed class Ending(Action end) : IDisposable
    {
        public void Dispose() => end();
    }
}
