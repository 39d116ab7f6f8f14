using ApiJobs.Jobs;
using ApiJobs.Sqlite.Asking;
using ApiJobs.Sqlite.Connections;
using ApiJobs.Sqlite.Lanes;
using ApiJobs.Storage;

namespace ApiJobs.Sqlite.Accepting;

/// <summary>What came of sealing, and where the lane stands since if it has changed.</summary>
internal sealed record Sealing(SealResult Result, LanePositions? Lane = null);

/// <summary>Makes jobs of complete requests. Runs inside the writer's transaction.</summary>
internal static class JobSealing
{
    /// <exception cref="InvalidOperationException">The chunk is not the upload's next, or the records are not as many as the job says.</exception>
    internal static Sealing Seal(SqliteSession session, NewJob job, Chunk lastChunk, DateTimeOffset now)
    {
        // A seal whose answer was lost may come again.
        if (JobRows.Find(session, job.CompanyId, job.Id) is { } sealedBefore)
            return new(new SealResult.Sealed(sealedBefore));
        if (lastChunk.FirstRecord + lastChunk.RecordCount != job.TotalRecords || (lastChunk.Index == 0 && lastChunk.FirstRecord != 0))
            throw new InvalidOperationException($"Job {job.Id} has {lastChunk.FirstRecord + lastChunk.RecordCount} records, but is to be sealed with {job.TotalRecords}.");
        if (FindTaken(session, job) is { } taken)
            return new(taken);
        if (lastChunk.Index > 0 && !UploadRows.End(session, job.CompanyId, job.Id, lastChunk))
            return new(new SealResult.Swept());

        ChunkRows.Insert(session, job.CompanyId, job.Id, lastChunk);
        KeepClaims(session, job);
        var (lane, position, createdAt) = LaneRows.TakePosition(session, job, now);
        var made = new ApiJob
        {
            Id = job.Id,
            CompanyId = job.CompanyId,
            Type = job.Type,
            Lane = job.Lane,
            Position = position,
            Options = job.Options,
            Origin = job.Origin,
            TotalRecords = job.TotalRecords,
            TotalBytes = job.TotalBytes,
            MaxFailed = job.MaxFailed,
            ChunkCount = lastChunk.Index + 1,
            CreatedAt = createdAt,
            UpdatedAt = createdAt,
        };
        JobRows.Insert(session, made);
        MarkRows.Insert(session, made);
        return new(new SealResult.Sealed(made), lane);
    }

    // The key comes first: a request that is sent again must get its own job, and not hear that its parent is taken by that.
    private static SealResult? FindTaken(SqliteSession session, NewJob job)
    {
        if (job.Origin.IdempotencyKey is { } key && KeyRows.Find(session, job.CompanyId, job.Origin.ClientId, key) is { } holder)
            return new SealResult.KeyTaken(holder.JobId, holder.Fingerprint);
        return job is { Descent: { } descent, Origin.ParentId: { } parentId }
            && ChildRows.Of(session, job.CompanyId, [parentId]).FirstOrDefault(child => child.Descent == descent) is { } child
            ? new SealResult.ParentTaken(child.JobId)
            : null;
    }

    private static void KeepClaims(SqliteSession session, NewJob job)
    {
        if (job.Origin.IdempotencyKey is { } key)
            KeyRows.Insert(session, job.CompanyId, job.Id, new(job.Origin.ClientId, key, job.Fingerprint));
        if (job is { Descent: { } descent, Origin.ParentId: { } parentId })
            ChildRows.Insert(session, job.CompanyId, new(parentId, descent, job.Id));
    }
}
