using ApiJobs.Jobs;
using ApiJobs.Records;
using ApiJobs.Storage;

namespace ApiJobs.Stores.Tests.Broken;

/// <summary>A sound store, of which a subclass breaks one thing.</summary>
internal abstract class StoreDecorator(IJobStore sound) : IJobStore
{
    protected IJobStore Sound { get; } = sound;

    public Task InitializeAsync(CancellationToken cancellationToken) => Sound.InitializeAsync(cancellationToken);

    public Task PingAsync(CancellationToken cancellationToken) => Sound.PingAsync(cancellationToken);

    public Task<bool> AppendChunkAsync(Guid companyId, Guid jobId, Chunk chunk, CancellationToken cancellationToken) =>
        Sound.AppendChunkAsync(companyId, jobId, chunk, cancellationToken);

    public virtual Task<ApiJob?> SealJobAsync(NewJob job, Chunk lastChunk, CancellationToken cancellationToken) =>
        Sound.SealJobAsync(job, lastChunk, cancellationToken);

    public Task AbandonUploadAsync(Guid companyId, Guid jobId, CancellationToken cancellationToken) =>
        Sound.AbandonUploadAsync(companyId, jobId, cancellationToken);

    public Task<int> SweepUploadsAsync(TimeSpan idleFor, CancellationToken cancellationToken) =>
        Sound.SweepUploadsAsync(idleFor, cancellationToken);

    public virtual Task<ApiJob?> FindJobAsync(Guid companyId, Guid jobId, CancellationToken cancellationToken) =>
        Sound.FindJobAsync(companyId, jobId, cancellationToken);

    public Task<IReadOnlyList<ChunkResult>> ReadResultsAsync(
        Guid companyId, Guid jobId, int fromChunk, int maxChunks, CancellationToken cancellationToken) =>
        Sound.ReadResultsAsync(companyId, jobId, fromChunk, maxChunks, cancellationToken);

    public virtual Task<LaneLease?> ClaimLaneAsync(TimeSpan leaseFor, CancellationToken cancellationToken) =>
        Sound.ClaimLaneAsync(leaseFor, cancellationToken);

    public virtual Task<bool> RenewLeaseAsync(LaneLease lease, TimeSpan leaseFor, CancellationToken cancellationToken) =>
        Sound.RenewLeaseAsync(lease, leaseFor, cancellationToken);

    public virtual Task ReleaseLaneAsync(LaneLease lease, CancellationToken cancellationToken) =>
        Sound.ReleaseLaneAsync(lease, cancellationToken);

    public virtual Task<bool> IsLaneWaitingAsync(CancellationToken cancellationToken) => Sound.IsLaneWaitingAsync(cancellationToken);

    public Task WaitForWorkAsync(TimeSpan atMost, CancellationToken cancellationToken) => Sound.WaitForWorkAsync(atMost, cancellationToken);

    public virtual Task<IReadOnlyList<PendingChunk>> ReadAheadAsync(
        LaneLease lease, PendingChunk? after, int maxRecords, CancellationToken cancellationToken) =>
        Sound.ReadAheadAsync(lease, after, maxRecords, cancellationToken);

    public virtual Task<bool> ApplyAsync(
        LaneLease lease, IReadOnlyList<PendingChunk> chunks, ApplyChunks apply, DateTimeOffset startedAt, CancellationToken cancellationToken) =>
        Sound.ApplyAsync(lease, chunks, apply, startedAt, cancellationToken);

    public virtual Task<IReadOnlyList<Guid>> ReadCompaniesAsync(Guid? after, int max, CancellationToken cancellationToken) =>
        Sound.ReadCompaniesAsync(after, max, cancellationToken);

    public virtual Task<bool> RemoveEndedAsync(
        Guid companyId, DateTimeOffset endedBefore, EndedPart part, CancellationToken cancellationToken) =>
        Sound.RemoveEndedAsync(companyId, endedBefore, part, cancellationToken);

    public StoreFault Classify(Exception exception) => Sound.Classify(exception);

    /// <summary>Makes effects in a transaction of their own: that of a job which nobody else knows.</summary>
    protected async Task ApplyApartAsync(ApplyChunks apply, CancellationToken cancellationToken)
    {
        var chunk = new Chunk(0, 0, 1, new byte[ChunkPayload.PrefixBytes]);
        var job = new NewJob
        {
            Id = Guid.CreateVersion7(),
            CompanyId = Guid.CreateVersion7(),
            Type = "apart",
            TotalRecords = 1,
            CreatedAt = DateTimeOffset.UnixEpoch,
        };
        await Sound.SealJobAsync(job, chunk, cancellationToken);
        var lane = new LaneLease(job.CompanyId, job.Lane, Guid.CreateVersion7());
        var chunks = await Sound.ReadAheadAsync(lane, null, 1, cancellationToken);
        await Sound.ApplyAsync(lane, chunks, async (transaction, token) =>
        {
            await apply(transaction, token);
            return [new(new[] { (byte)RecordOutcome.Updated }, default, "", 0)];
        }, DateTimeOffset.UnixEpoch, cancellationToken);
    }
}
