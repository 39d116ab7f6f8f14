using ApiJobs.Sqlite.Session;

namespace ApiJobs.Sqlite.Accepting;

/// <summary>Uploads that are not sealed, and their removal. What writes runs inside the writer's transaction.</summary>
internal static class Uploads
{
    // Deleting a chunk of 1 MiB touches 256 pages; this keeps one step in the milliseconds.
    private const int ChunksPerRemovalStep = 8;

    private const int Removing = -1;

    /// <summary>Reads how far an upload is.</summary>
    /// <returns>Null if there is none, or its removal has begun.</returns>
    internal static (int Chunk, long RecordCount)? Next(PreparedConnection connection, Guid companyId, Guid jobId)
    {
        using var select = connection.Use("SELECT next_chunk, record_count FROM uploads WHERE company_id = ?1 AND job_id = ?2");
        return select.Bind(1, companyId).Bind(2, jobId).Read() && select.Int32(0) != Removing ? (select.Int32(0), select.Int64(1)) : null;
    }

    /// <summary>Lets the first sweep take what an earlier process was receiving: who sent it was cut off with that process.</summary>
    internal static void ForgetTouches(PreparedConnection connection) => connection.Execute("UPDATE uploads SET touched_at = 0");

    /// <summary>Closes an upload for removal.</summary>
    /// <remarks>
    /// The first of three kinds of step, each its own transaction: close, delete some chunks (again and again), delete the row.
    /// From the first on nothing can be appended or sealed, so no job can come to miss a chunk. The row goes last, so that
    /// a removal cut short is found, as the stalest upload of all, and finished by the next sweep.
    /// </remarks>
    /// <returns><see langword="false"/> if there is no such upload, or it was touched after <paramref name="untouchedSince"/>.</returns>
    internal static bool BeginRemoval(PreparedConnection connection, Guid companyId, Guid jobId, DateTimeOffset untouchedSince)
    {
        using var close = connection.Use($"""
            UPDATE uploads SET next_chunk = {Removing}, touched_at = 0
            WHERE company_id = ?1 AND job_id = ?2 AND touched_at <= ?3
            """);
        return close.Bind(1, companyId).Bind(2, jobId).Bind(3, StoredTime.From(untouchedSince)).Run() == 1;
    }

    /// <summary>Deletes some chunks of a closed upload, or its row when none is left.</summary>
    internal static Removal Remove(PreparedConnection connection, Guid companyId, Guid jobId)
    {
        using (var isClosed = connection.Use($"SELECT 1 FROM uploads WHERE company_id = ?1 AND job_id = ?2 AND next_chunk = {Removing}"))
        {
            if (!isClosed.Bind(1, companyId).Bind(2, jobId).Read())
                return Removal.DoneByAnother;
        }

        var deleted = connection.Use($"""
            DELETE FROM chunks WHERE rowid IN (
                SELECT rowid FROM chunks WHERE company_id = ?1 AND job_id = ?2 LIMIT {ChunksPerRemovalStep})
            """).Bind(1, companyId).Bind(2, jobId).Run();
        if (deleted == ChunksPerRemovalStep)
            return Removal.Unfinished;
        connection.Use("DELETE FROM uploads WHERE company_id = ?1 AND job_id = ?2").Bind(1, companyId).Bind(2, jobId).Run();
        return Removal.Done;
    }

    internal static List<(Guid CompanyId, Guid JobId)> Stale(PreparedConnection connection, DateTimeOffset untouchedSince, int max)
    {
        using var select = connection.Use("SELECT company_id, job_id FROM uploads WHERE touched_at <= ?1 LIMIT ?2");
        select.Bind(1, StoredTime.From(untouchedSince)).Bind(2, max);
        var stale = new List<(Guid, Guid)>();
        while (select.Read())
            stale.Add((select.Guid(0), select.Guid(1)));
        return stale;
    }
}

/// <summary>How far the removal of an upload is after a step.</summary>
internal enum Removal
{
    Unfinished,
    Done,
    DoneByAnother,
}
