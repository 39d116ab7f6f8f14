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
        if (FindKeyHolder(session, job) is { } taken)
            return new(taken);
        if (lastChunk.Index > 0 && !UploadRows.End(session, job.CompanyId, job.Id, lastChunk))
            return new(new SealResult.Swept());

        ChunkRows.Insert(session, job.CompanyId, job.Id, lastChunk);
        KeepKey(session, job);
        var (lane, position, createdAt) = LaneRows.TakePosition(session, job.CompanyId, job.Lane, now);
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

    private static SealResult.KeyTaken? FindKeyHolder(SqliteSession session, NewJob job)
    {
        if (job.Origin.IdempotencyKey is not { } key)
            return null;
        using var find = session.Use("SELECT job_id, fingerprint FROM idempotency_keys WHERE company_id = ?1 AND client_id = ?2 AND key = ?3");
        return find.Bind(1, job.CompanyId).Bind(2, job.Origin.ClientId ?? "").Bind(3, key).Read()
            ? new(find.Guid(0), find.Bytes(1))
            : null;
    }

    private static void KeepKey(SqliteSession session, NewJob job)
    {
        if (job.Origin.IdempotencyKey is not { } key)
            return;
        session.Use("INSERT INTO idempotency_keys (company_id, client_id, key, job_id, fingerprint) VALUES (?1, ?2, ?3, ?4, ?5)")
            .Bind(1, job.CompanyId).Bind(2, job.Origin.ClientId ?? "").Bind(3, key).Bind(4, job.Id).Bind(5, job.Fingerprint.Span).Run();
    }
}
