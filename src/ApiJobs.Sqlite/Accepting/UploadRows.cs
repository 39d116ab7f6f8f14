using ApiJobs.Sqlite.Asking;
using ApiJobs.Sqlite.Connections;
using ApiJobs.Storage;

namespace ApiJobs.Sqlite.Accepting;

/// <summary>Requests that are still uploading. Everything here runs inside a transaction.</summary>
internal static class UploadRows
{
    // What next_chunk is once the removal of an upload has begun.
    private const int Removing = -1;

    // Deleting a chunk of 1 MiB touches 256 pages; this keeps one step in the milliseconds.
    private const int ChunksPerRemovalStep = 8;

    /// <summary>Stores the next chunk of an upload; the first one begins it.</summary>
    /// <returns>Whether the chunk is stored, now or by the same call before; not if the upload was removed.</returns>
    internal static bool Append(SqliteSession session, Guid companyId, Guid jobId, Chunk chunk, DateTimeOffset touchedAt)
    {
        using var advance = session.Use(chunk.Index == 0
            ? """
              INSERT INTO uploads (company_id, job_id, touched_at, next_chunk, next_record) VALUES (?1, ?2, ?3, ?4 + 1, ?5 + ?6)
              ON CONFLICT DO NOTHING
              """
            : """
              UPDATE uploads SET touched_at = ?3, next_chunk = ?4 + 1, next_record = ?5 + ?6
              WHERE company_id = ?1 AND job_id = ?2 AND next_chunk = ?4 AND next_record = ?5
              """);
        var isNext = advance.Bind(1, companyId).Bind(2, jobId).Bind(3, StoredTime.From(touchedAt))
            .Bind(4, chunk.Index).Bind(5, chunk.FirstRecord).Bind(6, chunk.RecordCount).Run() == 1;
        if (!isNext)
            return WasAppended(session, companyId, jobId, chunk);
        ChunkRows.Insert(session, companyId, jobId, chunk);
        return true;
    }

    /// <summary>Lets the first sweep take what an earlier process was receiving: its senders were cut off with it.</summary>
    internal static void ForgetTouches(SqliteSession session) => session.Execute("UPDATE uploads SET touched_at = 0");

    /// <summary>Ends an upload whose next chunk is its last.</summary>
    /// <returns><see langword="false"/> if it was removed.</returns>
    /// <exception cref="InvalidOperationException">Its next chunk is another one.</exception>
    internal static bool End(SqliteSession session, Guid companyId, Guid jobId, Chunk lastChunk)
    {
        using var delete = session.Use("DELETE FROM uploads WHERE company_id = ?1 AND job_id = ?2 AND next_chunk = ?3 AND next_record = ?4");
        if (delete.Bind(1, companyId).Bind(2, jobId).Bind(3, lastChunk.Index).Bind(4, lastChunk.FirstRecord).Run() == 1)
            return true;
        return Find(session, companyId, jobId) is null ? false : throw OutOfOrder(jobId, lastChunk.Index);
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

    /// <summary>Uploads that nobody has touched since a time.</summary>
    internal static IReadOnlyList<(Guid CompanyId, Guid JobId)> Stale(SqliteSession session, DateTimeOffset untouchedSince, int max)
    {
        using var select = session.Use("SELECT company_id, job_id FROM uploads WHERE touched_at <= ?1 LIMIT ?2");
        select.Bind(1, StoredTime.From(untouchedSince)).Bind(2, max);
        var stale = new List<(Guid, Guid)>();
        while (select.Read())
            stale.Add((select.Guid(0), select.Guid(1)));
        return stale;
    }

    // An append whose answer was lost may come again; any other chunk but the next is a fault of the caller that would lose records.
    private static bool WasAppended(SqliteSession session, Guid companyId, Guid jobId, Chunk chunk) =>
        Find(session, companyId, jobId) switch
        {
            null => false,
            var (nextChunk, nextRecord) when nextChunk == chunk.Index + 1 && nextRecord == chunk.FirstRecord + chunk.RecordCount => true,
            _ => throw OutOfOrder(jobId, chunk.Index),
        };

    private static (int NextChunk, long NextRecord)? Find(SqliteSession session, Guid companyId, Guid jobId)
    {
        using var select = session.Use($"SELECT next_chunk, next_record FROM uploads WHERE company_id = ?1 AND job_id = ?2 AND next_chunk <> {Removing}");
        return select.Bind(1, companyId).Bind(2, jobId).Read() ? (select.Int32(0), select.Int64(1)) : null;
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
