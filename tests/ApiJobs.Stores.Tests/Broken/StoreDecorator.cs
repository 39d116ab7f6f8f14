using ApiJobs.Jobs;
using ApiJobs.Records;
using ApiJobs.Storage;

namespace ApiJobs.Stores.Tests.Broken;

/// <summary>The parts of a store that accept and work, as one object: what a test decorates may lie in any of them.</summary>
public interface IWholeStore : IJobStore, ILaneStore, IUpkeep;

/// <summary>A sound store; a subclass changes one thing of it.</summary>
public class StoreDecorator(IJobStore jobs, ILaneStore lanes, IUpkeep upkeep) : IWholeStore
{
    /// <summary>Goes around a store that is whole already.</summary>
    public StoreDecorator(IWholeStore sound) : this(sound, sound, sound)
    {
    }

    // Accepting and asking.

    public virtual Task<bool> AppendChunkAsync(Guid companyId, Guid jobId, Chunk chunk, CancellationToken cancellationToken) =>
        jobs.AppendChunkAsync(companyId, jobId, chunk, cancellationToken);

    public virtual Task<SealResult> SealJobAsync(NewJob job, Chunk lastChunk, CancellationToken cancellationToken) =>
        jobs.SealJobAsync(job, lastChunk, cancellationToken);

    public virtual Task AbandonUploadAsync(Guid companyId, Guid jobId, CancellationToken cancellationToken) =>
        jobs.AbandonUploadAsync(companyId, jobId, cancellationToken);

    public virtual Task<ApiJob?> FindJobAsync(Guid companyId, Guid jobId, CancellationToken cancellationToken) =>
        jobs.FindJobAsync(companyId, jobId, cancellationToken);

    public virtual Task<string> ReadMessageAsync(Guid companyId, Guid jobId, int beforeChunk, CancellationToken cancellationToken) =>
        jobs.ReadMessageAsync(companyId, jobId, beforeChunk, cancellationToken);

    public virtual Task<IReadOnlyList<ChunkResult>> ReadResultsAsync(
        Guid companyId, Guid jobId, int fromChunk, int maxChunks, CancellationToken cancellationToken) =>
        jobs.ReadResultsAsync(companyId, jobId, fromChunk, maxChunks, cancellationToken);

    public virtual Task<IReadOnlyList<ErrorGroup>> ReadErrorsAsync(Guid companyId, Guid jobId, CancellationToken cancellationToken) =>
        jobs.ReadErrorsAsync(companyId, jobId, cancellationToken);

    public virtual Task<JobPage> ListJobsAsync(Guid companyId, JobQuery query, CancellationToken cancellationToken) =>
        jobs.ListJobsAsync(companyId, query, cancellationToken);

    public virtual Task<IReadOnlyList<long>> CountJobsBeforeAsync(Guid companyId, IReadOnlyList<ApiJob> unfinished, CancellationToken cancellationToken) =>
        jobs.CountJobsBeforeAsync(companyId, unfinished, cancellationToken);

    public virtual Task<IReadOnlyList<JobLogLine>> ReadLogAsync(Guid companyId, Guid jobId, CancellationToken cancellationToken) =>
        jobs.ReadLogAsync(companyId, jobId, cancellationToken);

    public virtual Task<Backlog> ReadBacklogAsync(Guid? companyId, CancellationToken cancellationToken) =>
        jobs.ReadBacklogAsync(companyId, cancellationToken);

    public virtual bool IsShared => jobs.IsShared;

    public virtual Task<IReadOnlyList<ApiJob>> ReadChangedAsync(IReadOnlyCollection<SeenJob> seen, CancellationToken cancellationToken) =>
        jobs.ReadChangedAsync(seen, cancellationToken);

    public virtual Task<KeyHolder?> FindKeyAsync(Guid companyId, string? clientId, string key, CancellationToken cancellationToken) =>
        jobs.FindKeyAsync(companyId, clientId, key, cancellationToken);

    public virtual Task<IReadOnlyList<JobChild>> FindChildrenAsync(Guid companyId, IReadOnlyCollection<Guid> parentIds, CancellationToken cancellationToken) =>
        jobs.FindChildrenAsync(companyId, parentIds, cancellationToken);

    public Task<EndResult> EndJobAsync(Guid companyId, Guid jobId, JobFailure failure, CancellationToken cancellationToken) =>
        EndJobAsync(companyId, jobId, failure, request: null, cancellationToken);

    public virtual Task<EndResult> EndJobAsync(
        Guid companyId, Guid jobId, JobFailure failure, KeyedRequest? request, CancellationToken cancellationToken) =>
        jobs.EndJobAsync(companyId, jobId, failure, request, cancellationToken);

    // Working.

    public virtual Task<LaneLease?> ClaimLaneAsync(string node, TimeSpan leaseFor, CancellationToken cancellationToken) =>
        lanes.ClaimLaneAsync(node, leaseFor, cancellationToken);

    public virtual Task<bool> RenewLeaseAsync(LaneLease lease, TimeSpan leaseFor, CancellationToken cancellationToken) =>
        lanes.RenewLeaseAsync(lease, leaseFor, cancellationToken);

    public virtual Task ReleaseLaneAsync(LaneLease lease, LaneFault? fault, CancellationToken cancellationToken) =>
        lanes.ReleaseLaneAsync(lease, fault, cancellationToken);

    public virtual Task<bool> IsLaneWaitingAsync(CancellationToken cancellationToken) => lanes.IsLaneWaitingAsync(cancellationToken);

    public virtual Task WaitForWorkAsync(TimeSpan atMost, CancellationToken cancellationToken) => lanes.WaitForWorkAsync(atMost, cancellationToken);

    public virtual Task<IReadOnlyList<PendingChunk>> ReadAheadAsync(
        LaneLease lease, PendingChunk? after, int maxRecords, CancellationToken cancellationToken) =>
        lanes.ReadAheadAsync(lease, after, maxRecords, cancellationToken);

    public virtual Task<IReadOnlyList<ApiJob>> ApplyAsync(
        LaneLease lease, IReadOnlyList<PendingChunk> chunks, ApplyChunks apply, CancellationToken cancellationToken) =>
        lanes.ApplyAsync(lease, chunks, apply, cancellationToken);

    public virtual StoreFault Classify(Exception exception) => lanes.Classify(exception);

    // Keeping.

    public virtual Task InitializeAsync(CancellationToken cancellationToken) => upkeep.InitializeAsync(cancellationToken);

    public virtual Task PingAsync(CancellationToken cancellationToken) => upkeep.PingAsync(cancellationToken);

    public virtual Task<int> SweepUploadsAsync(TimeSpan idleFor, CancellationToken cancellationToken) =>
        upkeep.SweepUploadsAsync(idleFor, cancellationToken);

    public virtual Task<bool> SweepRehearsalsAsync(CancellationToken cancellationToken) => upkeep.SweepRehearsalsAsync(cancellationToken);

    public virtual Task<IReadOnlyList<Guid>> ReadCompaniesAsync(Guid? after, int max, CancellationToken cancellationToken) =>
        upkeep.ReadCompaniesAsync(after, max, cancellationToken);

    public virtual Task<bool> RemoveEndedAsync(Guid companyId, TimeSpan keptFor, EndedPart part, CancellationToken cancellationToken) =>
        upkeep.RemoveEndedAsync(companyId, keptFor, part, cancellationToken);

    /// <summary>Makes effects in a transaction of their own: that of a job which nobody else knows.</summary>
    protected async Task ApplyApartAsync(ApplyChunks apply, CancellationToken cancellationToken)
    {
        var chunk = new Chunk(0, 0, 1, new byte[ChunkPayload.PrefixBytes]);
        var job = new NewJob { Id = Guid.CreateVersion7(), CompanyId = Guid.CreateVersion7(), Type = "apart", TotalRecords = 1 };
        await jobs.SealJobAsync(job, chunk, cancellationToken);
        var lane = new LaneLease(job.CompanyId, job.Lane, Guid.CreateVersion7());
        var chunks = await lanes.ReadAheadAsync(lane, null, 1, cancellationToken);
        await lanes.ApplyAsync(lane, chunks, async (transaction, token) =>
        {
            await apply(transaction, token);
            return [new(new[] { (byte)RecordOutcome.Updated }, default, "", 0)];
        }, cancellationToken);
    }
}
