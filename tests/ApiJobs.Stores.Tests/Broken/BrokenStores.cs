using System.Collections.Concurrent;
using ApiJobs.Jobs;
using ApiJobs.Records;
using ApiJobs.Storage;

namespace ApiJobs.Stores.Tests.Broken;

/// <summary>Makes the effects again when the cursor says that they were made already.</summary>
internal sealed class WithoutCursorGuard(IWholeStore sound) : StoreDecorator(sound)
{
    public override async Task<IReadOnlyList<ApiJob>> ApplyAsync(
        LaneLease lease, IReadOnlyList<PendingChunk> chunks, ApplyChunks apply, CancellationToken cancellationToken)
    {
        if (await base.ApplyAsync(lease, chunks, apply, cancellationToken) is { Count: > 0 } jobs)
            return jobs;
        await ApplyApartAsync(apply, cancellationToken);
        return [.. chunks.Select(pending => pending.Job)];
    }
}

/// <summary>Moves the cursor in one transaction and makes the effects in the next.</summary>
internal sealed class WithCursorInItsOwnTransaction(IWholeStore sound) : StoreDecorator(sound)
{
    public override async Task<IReadOnlyList<ApiJob>> ApplyAsync(
        LaneLease lease, IReadOnlyList<PendingChunk> chunks, ApplyChunks apply, CancellationToken cancellationToken)
    {
        IReadOnlyList<ChunkOutcome> presumed = [.. chunks.Select(pending => Presume(pending.Chunk))];
        var jobs = await base.ApplyAsync(lease, chunks, (_, _) => Task.FromResult(presumed), cancellationToken);
        if (jobs.Count > 0)
            await ApplyApartAsync(apply, cancellationToken);
        return jobs;
    }

    private static ChunkOutcome Presume(Chunk chunk)
    {
        var outcomes = new byte[chunk.RecordCount];
        Array.Fill(outcomes, (byte)RecordOutcome.Created);
        return new(outcomes, default, "", 0);
    }
}

/// <summary>Answers that a job is sealed, and seals it when somebody next asks for something.</summary>
internal sealed class AcknowledgingBeforeCommit(IWholeStore sound) : StoreDecorator(sound)
{
    private readonly List<(NewJob Job, Chunk LastChunk)> _promised = [];

    public override async Task<SealResult> SealJobAsync(NewJob job, Chunk lastChunk, CancellationToken cancellationToken)
    {
        await KeepPromisesAsync(cancellationToken);
        _promised.Add((job, lastChunk));
        return new SealResult.Sealed(new()
        {
            Id = job.Id,
            CompanyId = job.CompanyId,
            Type = job.Type,
            Lane = job.Lane,
            Options = job.Options,
            Position = 1,
            TotalRecords = job.TotalRecords,
            ChunkCount = lastChunk.Index + 1,
            CreatedAt = DateTimeOffset.UnixEpoch,
            UpdatedAt = DateTimeOffset.UnixEpoch,
        });
    }

    public override async Task<ApiJob?> FindJobAsync(Guid companyId, Guid jobId, CancellationToken cancellationToken)
    {
        await KeepPromisesAsync(cancellationToken);
        return await base.FindJobAsync(companyId, jobId, cancellationToken);
    }

    public override async Task<LaneLease?> ClaimLaneAsync(string node, TimeSpan leaseFor, CancellationToken cancellationToken)
    {
        await KeepPromisesAsync(cancellationToken);
        return await base.ClaimLaneAsync(node, leaseFor, cancellationToken);
    }

    private async Task KeepPromisesAsync(CancellationToken cancellationToken)
    {
        foreach (var (job, lastChunk) in _promised)
            await base.SealJobAsync(job, lastChunk, cancellationToken);
        _promised.Clear();
    }
}

/// <summary>Finds a job by its id alone.</summary>
internal sealed class ForgettingTheCompany(IWholeStore sound) : StoreDecorator(sound)
{
    private readonly Dictionary<Guid, Guid> _companyByJob = [];

    public override Task<SealResult> SealJobAsync(NewJob job, Chunk lastChunk, CancellationToken cancellationToken)
    {
        _companyByJob[job.Id] = job.CompanyId;
        return base.SealJobAsync(job, lastChunk, cancellationToken);
    }

    public override Task<ApiJob?> FindJobAsync(Guid companyId, Guid jobId, CancellationToken cancellationToken) =>
        base.FindJobAsync(_companyByJob.GetValueOrDefault(jobId, companyId), jobId, cancellationToken);
}

/// <summary>Gives leases that do not end when their holder dies.</summary>
internal sealed class LeasingForEver(IWholeStore sound) : StoreDecorator(sound)
{
    public override Task<LaneLease?> ClaimLaneAsync(string node, TimeSpan leaseFor, CancellationToken cancellationToken) =>
        base.ClaimLaneAsync(node, TimeSpan.FromHours(1), cancellationToken);
}

/// <summary>Renews and ends whatever lease is on a lane, whoever asks.</summary>
internal sealed class IgnoringTokens(IWholeStore sound) : StoreDecorator(sound)
{
    private readonly Dictionary<(Guid, string), LaneLease> _leases = [];

    public override async Task<LaneLease?> ClaimLaneAsync(string node, TimeSpan leaseFor, CancellationToken cancellationToken)
    {
        var lease = await base.ClaimLaneAsync(node, leaseFor, cancellationToken);
        if (lease is not null)
            _leases[(lease.CompanyId, lease.Lane)] = lease;
        return lease;
    }

    public override Task<bool> RenewLeaseAsync(LaneLease lease, TimeSpan leaseFor, CancellationToken cancellationToken) =>
        base.RenewLeaseAsync(_leases[(lease.CompanyId, lease.Lane)], leaseFor, cancellationToken);

    public override Task ReleaseLaneAsync(LaneLease lease, LaneFault? fault, CancellationToken cancellationToken) =>
        base.ReleaseLaneAsync(_leases[(lease.CompanyId, lease.Lane)], fault, cancellationToken);
}

/// <summary>Takes an exception out of the effects for a lost race.</summary>
internal sealed class SwallowingFaults(IWholeStore sound) : StoreDecorator(sound)
{
    public override async Task<IReadOnlyList<ApiJob>> ApplyAsync(
        LaneLease lease, IReadOnlyList<PendingChunk> chunks, ApplyChunks apply, CancellationToken cancellationToken)
    {
        try
        {
            return await base.ApplyAsync(lease, chunks, apply, cancellationToken);
        }
        catch (InvalidOperationException)
        {
            return [];
        }
    }
}

/// <summary>Gives the newest work first.</summary>
internal sealed class ReadingBackwards(IWholeStore sound) : StoreDecorator(sound)
{
    public override async Task<IReadOnlyList<PendingChunk>> ReadAheadAsync(
        LaneLease lease, PendingChunk? after, int maxRecords, CancellationToken cancellationToken) =>
        [.. (await base.ReadAheadAsync(lease, after, maxRecords, cancellationToken)).Reverse()];
}

/// <summary>Ends a job again that has ended, for the new reason.</summary>
internal sealed class EndingAgain(IWholeStore sound) : StoreDecorator(sound)
{
    private readonly Dictionary<Guid, JobFailure> _failures = [];

    public override async Task<EndResult> EndJobAsync(
        Guid companyId, Guid jobId, JobFailure failure, KeyedRequest? request, CancellationToken cancellationToken)
    {
        var result = await base.EndJobAsync(companyId, jobId, failure, request, cancellationToken);
        if (result != EndResult.Unknown)
            _failures[jobId] = failure;
        return result;
    }

    public override async Task<ApiJob?> FindJobAsync(Guid companyId, Guid jobId, CancellationToken cancellationToken) =>
        await base.FindJobAsync(companyId, jobId, cancellationToken) is { } job
            ? job with { Failure = _failures.GetValueOrDefault(jobId, job.Failure!) }
            : null;
}

/// <summary>Ends a job and goes on applying its chunks.</summary>
internal sealed class EndingInNameOnly(IWholeStore sound) : StoreDecorator(sound)
{
    private readonly Dictionary<Guid, JobFailure> _failures = [];

    public override async Task<EndResult> EndJobAsync(
        Guid companyId, Guid jobId, JobFailure failure, KeyedRequest? request, CancellationToken cancellationToken)
    {
        if (await base.FindJobAsync(companyId, jobId, cancellationToken) is not { } job)
            return EndResult.Unknown;
        return !job.HasEnded && _failures.TryAdd(jobId, failure) ? EndResult.Ended : EndResult.HadEnded;
    }

    public override async Task<ApiJob?> FindJobAsync(Guid companyId, Guid jobId, CancellationToken cancellationToken) =>
        await base.FindJobAsync(companyId, jobId, cancellationToken) is { } job && _failures.TryGetValue(jobId, out var failure)
            ? job with { EndTime = job.UpdatedAt, Failure = failure }
            : await base.FindJobAsync(companyId, jobId, cancellationToken);
}

/// <summary>Gives a lane back as well, whatever it was ill of.</summary>
internal sealed class IgnoringFaults(IWholeStore sound) : StoreDecorator(sound)
{
    public override Task ReleaseLaneAsync(LaneLease lease, LaneFault? fault, CancellationToken cancellationToken) =>
        base.ReleaseLaneAsync(lease, fault: null, cancellationToken);
}

/// <summary>Keeps a lane back and does not count how often.</summary>
internal sealed class ForgettingFaults(IWholeStore sound) : StoreDecorator(sound)
{
    public override async Task<LaneLease?> ClaimLaneAsync(string node, TimeSpan leaseFor, CancellationToken cancellationToken) =>
        await base.ClaimLaneAsync(node, leaseFor, cancellationToken) is { } lease ? lease with { Faults = 0 } : null;
}

/// <summary>Serves a lane whose holder died before all others.</summary>
internal sealed class ServingTheSameAgain(IWholeStore sound) : StoreDecorator(sound)
{
    private LaneLease? _last;

    public override async Task<LaneLease?> ClaimLaneAsync(string node, TimeSpan leaseFor, CancellationToken cancellationToken)
    {
        List<LaneLease> others = [];
        var lease = await base.ClaimLaneAsync(node, leaseFor, cancellationToken);
        for (; lease is not null && _last is not null && lease.CompanyId != _last.CompanyId; lease = await base.ClaimLaneAsync(node, leaseFor, cancellationToken))
            others.Add(lease);
        foreach (var other in others)
            await base.ReleaseLaneAsync(other, fault: null, cancellationToken);
        return _last = lease ?? _last;
    }
}

/// <summary>Takes whatever chunk comes for the upload's next one.</summary>
internal sealed class TakingChunksInAnyOrder(IWholeStore sound) : StoreDecorator(sound)
{
    public override async Task<bool> AppendChunkAsync(Guid companyId, Guid jobId, Chunk chunk, CancellationToken cancellationToken)
    {
        try
        {
            return await base.AppendChunkAsync(companyId, jobId, chunk, cancellationToken);
        }
        catch (InvalidOperationException)
        {
            return true;
        }
    }
}

/// <summary>Knows an idempotency key by itself, whoever's it is.</summary>
internal sealed class SharingKeys(IWholeStore sound) : StoreDecorator(sound)
{
    public override Task<SealResult> SealJobAsync(NewJob job, Chunk lastChunk, CancellationToken cancellationToken) =>
        base.SealJobAsync(job with { Origin = job.Origin with { ClientId = null } }, lastChunk, cancellationToken);
}

/// <summary>Makes a job for every request, whatever key it brings.</summary>
internal sealed class IgnoringKeys(IWholeStore sound) : StoreDecorator(sound)
{
    public override Task<SealResult> SealJobAsync(NewJob job, Chunk lastChunk, CancellationToken cancellationToken) =>
        base.SealJobAsync(job with { Origin = job.Origin with { IdempotencyKey = null } }, lastChunk, cancellationToken);
}

/// <summary>Makes a job for every retry, however many the parent has.</summary>
internal sealed class MakingManyChildren(IWholeStore sound) : StoreDecorator(sound)
{
    public override Task<SealResult> SealJobAsync(NewJob job, Chunk lastChunk, CancellationToken cancellationToken) =>
        base.SealJobAsync(job with { Descent = null }, lastChunk, cancellationToken);
}

/// <summary>Takes the key of a request that is refused all the same.</summary>
internal sealed class KeepingKeysOfRefusals(IWholeStore sound) : StoreDecorator(sound)
{
    private readonly ConcurrentDictionary<string, KeyHolder> _kept = new();

    public override async Task<SealResult> SealJobAsync(NewJob job, Chunk lastChunk, CancellationToken cancellationToken)
    {
        var result = await base.SealJobAsync(job, lastChunk, cancellationToken);
        if (result is SealResult.ParentTaken && job.Origin.IdempotencyKey is { } key)
            _kept[key] = new(job.Id, job.Fingerprint);
        return result;
    }

    public override async Task<EndResult> EndJobAsync(
        Guid companyId, Guid jobId, JobFailure failure, KeyedRequest? request, CancellationToken cancellationToken)
    {
        var result = await base.EndJobAsync(companyId, jobId, failure, request, cancellationToken);
        if (result == EndResult.HadEnded && request is not null)
            _kept[request.Key] = new(jobId, request.Fingerprint);
        return result;
    }

    public override async Task<KeyHolder?> FindKeyAsync(Guid companyId, string? clientId, string key, CancellationToken cancellationToken) =>
        await base.FindKeyAsync(companyId, clientId, key, cancellationToken) ?? _kept.GetValueOrDefault(key);
}

/// <summary>Ends jobs by whatever request, and keeps no key of it.</summary>
internal sealed class IgnoringKeysOfEnds(IWholeStore sound) : StoreDecorator(sound)
{
    public override Task<EndResult> EndJobAsync(
        Guid companyId, Guid jobId, JobFailure failure, KeyedRequest? request, CancellationToken cancellationToken) =>
        base.EndJobAsync(companyId, jobId, failure, request: null, cancellationToken);
}

/// <summary>Goes on with a job although a chunk of it was to be the last.</summary>
internal sealed class NeverGivingUp(IWholeStore sound) : StoreDecorator(sound)
{
    public override Task<IReadOnlyList<ApiJob>> ApplyAsync(
        LaneLease lease, IReadOnlyList<PendingChunk> chunks, ApplyChunks apply, CancellationToken cancellationToken) =>
        base.ApplyAsync(lease, chunks, async (transaction, token) =>
            [.. (await apply(transaction, token)).Select(outcome => outcome with { Failure = null })], cancellationToken);
}

/// <summary>Forgets who asked.</summary>
internal sealed class ForgettingOrigins(IWholeStore sound) : StoreDecorator(sound)
{
    public override async Task<ApiJob?> FindJobAsync(Guid companyId, Guid jobId, CancellationToken cancellationToken) =>
        await base.FindJobAsync(companyId, jobId, cancellationToken) is { } job ? job with { Origin = JobOrigin.Unknown } : null;
}

/// <summary>Gives the message as it is by now, not as it was.</summary>
internal sealed class ReadingTheWholeMessage(IWholeStore sound) : StoreDecorator(sound)
{
    public override Task<string> ReadMessageAsync(Guid companyId, Guid jobId, int beforeChunk, CancellationToken cancellationToken) =>
        base.ReadMessageAsync(companyId, jobId, int.MaxValue, cancellationToken);
}

/// <summary>Tells of progress what was known before.</summary>
internal sealed class TellingOldProgress(IWholeStore sound) : StoreDecorator(sound)
{
    public override async Task<IReadOnlyList<ApiJob>> ApplyAsync(
        LaneLease lease, IReadOnlyList<PendingChunk> chunks, ApplyChunks apply, CancellationToken cancellationToken) =>
        (await base.ApplyAsync(lease, chunks, apply, cancellationToken)).Count == 0 ? [] : [.. chunks.Select(pending => pending.Job).Distinct()];
}
