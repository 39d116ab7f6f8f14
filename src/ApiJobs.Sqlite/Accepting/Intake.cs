using ApiJobs.Jobs;
using ApiJobs.Sqlite.Asking;
using ApiJobs.Sqlite.Lanes;
using ApiJobs.Sqlite.Session;
using ApiJobs.Storage;

namespace ApiJobs.Sqlite.Accepting;

/// <summary>What became of sealing, and where the lane stands if it has got a job.</summary>
internal sealed record Sealing(SealResult Result, LanePositions? Lane = null);

/// <summary>Stores what a request brings. Everything here runs inside the writer's transaction.</summary>
internal static class Intake
{
    internal static bool Append(PreparedConnection connection, Guid companyId, Guid jobId, Chunk chunk, DateTimeOffset touchedAt)
    {
        using var advance = connection.Use(chunk is { Index: 0, FirstRecord: 0 }
            ? """
                INSERT INTO uploads (company_id, job_id, touched_at, next_chunk, record_count) VALUES (?1, ?2, ?3, ?4 + 1, ?5 + ?6)
                ON CONFLICT DO NOTHING
                """
            : """
                UPDATE uploads SET touched_at = ?3, next_chunk = ?4 + 1, record_count = ?5 + ?6
                WHERE company_id = ?1 AND job_id = ?2 AND next_chunk = ?4 AND record_count = ?5
                """);
        var isNext = advance.Bind(1, companyId).Bind(2, jobId).Bind(3, StoredTime.From(touchedAt)).Bind(4, chunk.Index)
            .Bind(5, chunk.FirstRecord).Bind(6, chunk.RecordCount).Run() == 1;
        if (!isNext)
            return WasAppended(connection, companyId, jobId, chunk);
        InsertChunk(connection, companyId, jobId, chunk);
        return true;
    }

    internal static Sealing Seal(PreparedConnection connection, NewJob job, Chunk lastChunk, DateTimeOffset now)
    {
        // A seal whose answer was lost may come again.
        if (StoredJobs.Find(connection, job.CompanyId, job.Id) is { } sealedBefore)
            return new(new SealResult.Sealed(sealedBefore));
        if (IdempotencyKeys.Find(connection, job) is { } taken)
            return new(taken);
        if (!EndUpload(connection, job, lastChunk))
            return new(new SealResult.Swept());
        InsertChunk(connection, job.CompanyId, job.Id, lastChunk);

        var (lane, position, createdAt) = LaneRows.GivePosition(connection, job.CompanyId, job.Lane, now);
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
            ChunkCount = lastChunk.Index + 1,
            CreatedAt = createdAt,
            UpdatedAt = createdAt,
        };
        StoredJobs.Insert(connection, made);
        IdempotencyKeys.Keep(connection, job);
        return new(new SealResult.Sealed(made), lane);
    }

    private static void InsertChunk(PreparedConnection connection, Guid companyId, Guid jobId, Chunk chunk)
    {
        using var insert = connection.Use("""
            INSERT INTO chunks (company_id, job_id, chunk_index, first_record, record_count, payload) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
            """);
        insert.Bind(1, companyId).Bind(2, jobId).Bind(3, chunk.Index).Bind(4, chunk.FirstRecord).Bind(5, chunk.RecordCount)
            .Bind(6, chunk.Payload.Span).Run();
    }

    /// <summary>Ends the upload that the last chunk belongs to; one of a single chunk never began.</summary>
    /// <returns><see langword="false"/> if it was swept away.</returns>
    private static bool EndUpload(PreparedConnection connection, NewJob job, Chunk lastChunk)
    {
        if (lastChunk.FirstRecord + lastChunk.RecordCount != job.TotalRecords)
            throw WrongTotal(job, lastChunk);
        if (lastChunk is { Index: 0, FirstRecord: 0 })
            return Uploads.Next(connection, job.CompanyId, job.Id) is null ? true : throw OutOfOrder(job.Id, lastChunk);
        using var delete = connection.Use("DELETE FROM uploads WHERE company_id = ?1 AND job_id = ?2 AND next_chunk = ?3 AND record_count = ?4");
        if (delete.Bind(1, job.CompanyId).Bind(2, job.Id).Bind(3, lastChunk.Index).Bind(4, lastChunk.FirstRecord).Run() == 1)
            return true;
        return Uploads.Next(connection, job.CompanyId, job.Id) is null ? false : throw OutOfOrder(job.Id, lastChunk);
    }

    // An append whose answer was lost may come again; any other chunk but the next is a fault of the caller that would lose records.
    private static bool WasAppended(PreparedConnection connection, Guid companyId, Guid jobId, Chunk chunk) =>
        Uploads.Next(connection, companyId, jobId) switch
        {
            null => false,
            var (next, records) when next == chunk.Index + 1 && records == chunk.FirstRecord + chunk.RecordCount => true,
            _ => throw OutOfOrder(jobId, chunk),
        };

    private static InvalidOperationException OutOfOrder(Guid jobId, Chunk chunk) => new(
        $"Chunk {chunk.Index} of upload {jobId}, from record {chunk.FirstRecord} on, is not its next. Append the chunks of an upload in order, each once.");

    private static InvalidOperationException WrongTotal(NewJob job, Chunk lastChunk) => new(
        $"Job {job.Id} is to have {job.TotalRecords} records, but its last chunk ends after {lastChunk.FirstRecord + lastChunk.RecordCount}.");
}
