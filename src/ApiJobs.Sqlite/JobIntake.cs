using ApiJobs.Jobs;
using ApiJobs.Storage;

namespace ApiJobs.Sqlite;

/// <summary>A sealed job, and where its lane stands since.</summary>
internal sealed record SealedJob(ApiJob Job, LanePositions? Lane);

/// <summary>Stores what a request brings. Everything here runs inside the writer's transaction.</summary>
internal static class JobIntake
{
    // Deleting a chunk of 1 MiB touches 256 pages; this keeps one step in the milliseconds.
    private const int ChunksPerRemovalStep = 8;

    private const int Removing = -1;

    internal static bool Append(SqliteSession session, Guid companyId, Guid jobId, Chunk chunk, DateTimeOffset now)
    {
        using var advance = session.Use(chunk.Index == 0
            ? "INSERT INTO uploads (company_id, job_id, touched_at, next_chunk) VALUES (?1, ?2, ?3, ?4 + 1) ON CONFLICT DO NOTHING"
            : "UPDATE uploads SET touched_at = ?3, next_chunk = ?4 + 1 WHERE company_id = ?1 AND job_id = ?2 AND next_chunk = ?4");
        var isNext = advance.Bind(1, companyId).Bind(2, jobId).Bind(3, StoredTime.From(now)).Bind(4, chunk.Index).Run() == 1;
        if (!isNext)
            return WasAppended(session, companyId, jobId, chunk.Index);
        InsertChunk(session, companyId, jobId, chunk);
        return true;
    }

    internal static SealedJob? Seal(SqliteSession session, NewJob job, Chunk lastChunk)
    {
        // A seal whose answer was lost may come again.
        if (JobRows.Find(session, job.CompanyId, job.Id) is { } sealedBefore)
            return new SealedJob(sealedBefore, null);
        if (lastChunk.Index > 0 && !EndUpload(session, job, lastChunk))
            return null;
        InsertChunk(session, job.CompanyId, job.Id, lastChunk);

        LanePositions lane;
        using (var upsert = session.Use("""
            INSERT INTO lanes (company_id, lane, head_position, tail_position) VALUES (?1, ?2, 0, 1)
            ON CONFLICT DO UPDATE SET tail_position = tail_position + 1
            RETURNING head_position, tail_position
            """))
        {
            upsert.Bind(1, job.CompanyId).Bind(2, job.Lane).Read();
            lane = new LanePositions(upsert.Int64(0), upsert.Int64(1));
        }

        var createdAt = StoredTime.From(job.CreatedAt);
        using var insert = session.Use("""
            INSERT INTO jobs (company_id, id, type, lane, position, options, total_records, chunk_count, created_at, updated_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9)
            """);
        insert.Bind(1, job.CompanyId).Bind(2, job.Id).Bind(3, job.Type).Bind(4, job.Lane).Bind(5, lane.Tail)
            .BindOrNull(6, job.Options.ToJson()).Bind(7, job.TotalRecords).Bind(8, lastChunk.Index + 1).Bind(9, createdAt).Run();
        var sealedJob = new ApiJob
        {
            Id = job.Id,
            CompanyId = job.CompanyId,
            Type = job.Type,
            Lane = job.Lane,
            Position = lane.Tail,
            Options = job.Options,
            TotalRecords = job.TotalRecords,
            ChunkCount = lastChunk.Index + 1,
            CreatedAt = StoredTime.To(createdAt),
            UpdatedAt = StoredTime.To(createdAt),
        };
        return new SealedJob(sealedJob, lane);
    }

    /// <summary>Closes an upload for removal.</summary>
    /// <remarks>
    /// The first of three kinds of step, each its own transaction: close, delete some chunks (again and again), delete the row.
    /// From the first on nothing can be appended or sealed, so no job can come to miss a chunk. The row goes last, so that
    /// a removal cut short is found, as the stalest upload of all, and finished by the next sweep.
    /// </remarks>
    /// <returns><see langword="false"/> if there is no such upload, or it was touched after <paramref name="untouchedSince"/>.</returns>
    internal static bool BeginRemoval(SqliteSession session, Guid companyId, Guid jobId, DateTimeOffset untouchedSince)
    {
        using var close = session.Use($"""
            UPDATE uploads SET next_chunk = {Removing}, touched_at = 0
            WHERE company_id = ?1 AND job_id = ?2 AND touched_at <= ?3
            """);
        return close.Bind(1, companyId).Bind(2, jobId).Bind(3, StoredTime.From(untouchedSince)).Run() == 1;
    }

    /// <summary>Deletes some chunks of a closed upload, or its row when none is left.</summary>
    internal static Removal Remove(SqliteSession session, Guid companyId, Guid jobId)
    {
        using (var isClosed = session.Use($"SELECT 1 FROM uploads WHERE company_id = ?1 AND job_id = ?2 AND next_chunk = {Removing}"))
        {
            if (!isClosed.Bind(1, companyId).Bind(2, jobId).Read())
                return Removal.DoneByAnother;
        }

        var deleted = session.Use($"""
            DELETE FROM chunks WHERE rowid IN (
                SELECT rowid FROM chunks WHERE company_id = ?1 AND job_id = ?2 LIMIT {ChunksPerRemovalStep})
            """).Bind(1, companyId).Bind(2, jobId).Run();
        if (deleted == ChunksPerRemovalStep)
            return Removal.Unfinished;
        session.Use("DELETE FROM uploads WHERE company_id = ?1 AND job_id = ?2").Bind(1, companyId).Bind(2, jobId).Run();
        return Removal.Done;
    }

    internal static List<(Guid CompanyId, Guid JobId)> Stale(SqliteSession session, DateTimeOffset untouchedSince, int max)
    {
        using var select = session.Use("SELECT company_id, job_id FROM uploads WHERE touched_at <= ?1 LIMIT ?2");
        select.Bind(1, StoredTime.From(untouchedSince)).Bind(2, max);
        var stale = new List<(Guid, Guid)>();
        while (select.Read())
            stale.Add((select.Guid(0), select.Guid(1)));
        return stale;
    }

    private static void InsertChunk(SqliteSession session, Guid companyId, Guid jobId, Chunk chunk)
    {
        using var insert = session.Use("""
            INSERT INTO chunks (company_id, job_id, chunk_index, first_record, record_count, payload) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
            """);
        insert.Bind(1, companyId).Bind(2, jobId).Bind(3, chunk.Index).Bind(4, chunk.FirstRecord).Bind(5, chunk.RecordCount)
            .Bind(6, chunk.Payload.Span).Run();
    }

    private static bool EndUpload(SqliteSession session, NewJob job, Chunk lastChunk)
    {
        using var delete = session.Use("DELETE FROM uploads WHERE company_id = ?1 AND job_id = ?2 AND next_chunk = ?3");
        if (delete.Bind(1, job.CompanyId).Bind(2, job.Id).Bind(3, lastChunk.Index).Run() == 1)
            return true;
        return NextChunk(session, job.CompanyId, job.Id) is null or Removing
            ? false
            : throw OutOfOrder(job.Id, lastChunk.Index);
    }

    // An append whose answer was lost may come again; any other index but the next is a fault of the caller that would lose records.
    private static bool WasAppended(SqliteSession session, Guid companyId, Guid jobId, int index) =>
        NextChunk(session, companyId, jobId) switch
        {
            null or Removing => false,
            var next when next == index + 1 => true,
            _ => throw OutOfOrder(jobId, index),
        };

    private static int? NextChunk(SqliteSession session, Guid companyId, Guid jobId)
    {
        using var select = session.Use("SELECT next_chunk FROM uploads WHERE company_id = ?1 AND job_id = ?2");
        return select.Bind(1, companyId).Bind(2, jobId).Read() ? select.Int32(0) : null;
    }

    private static InvalidOperationException OutOfOrder(Guid jobId, int index) =>
        new($"Chunk {index} of upload {jobId} is not its next. Append the chunks of an upload in order, each once.");
}

/// <summary>How far the removal of an upload is after a step.</summary>
internal enum Removal
{
    Unfinished,
    Done,
    DoneByAnother,
}
