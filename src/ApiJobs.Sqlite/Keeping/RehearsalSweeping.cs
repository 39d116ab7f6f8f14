using ApiJobs.Sqlite.Connections;

namespace ApiJobs.Sqlite.Keeping;

/// <summary>Removes what rehearsals have noted, once they have ended: a little at a time.</summary>
internal static class RehearsalSweeping
{
    private const int NotesPerStep = 2_000;

    /// <summary>Finds a rehearsal that has ended, or whose job is gone already, and has notes.</summary>
    internal static (Guid CompanyId, Guid JobId)? FindEnded(SqliteSession session)
    {
        using var select = session.Use("""
            SELECT r.company_id, r.job_id FROM rehearsals r
            LEFT JOIN jobs j ON j.company_id = r.company_id AND j.id = r.job_id
            WHERE j.id IS NULL OR j.end_time IS NOT NULL
            LIMIT 1
            """);
        return select.Read() ? (select.Guid(0), select.Guid(1)) : null;
    }

    /// <summary>Removes some notes of a rehearsal that has ended; with the last, that it had any.</summary>
    internal static void Remove(SqliteSession session, Guid companyId, Guid jobId)
    {
        var some = new List<(long Kind, Guid Key)>();
        using (var select = session.Use("SELECT kind, key FROM rehearsal_notes WHERE company_id = ?1 AND job_id = ?2 ORDER BY kind, key LIMIT ?3"))
        {
            select.Bind(1, companyId).Bind(2, jobId).Bind(3, NotesPerStep);
            while (select.Read())
                some.Add((select.Int64(0), select.Guid(1)));
        }

        // One by one: SQLite would look through all of a kind for a list of pairs.
        var delete = session.Use("DELETE FROM rehearsal_notes WHERE company_id = ?1 AND job_id = ?2 AND kind = ?3 AND key = ?4");
        delete.Bind(1, companyId).Bind(2, jobId);
        foreach (var (kind, key) in some)
            delete.Bind(3, kind).Bind(4, key).Run();
        if (some.Count < NotesPerStep)
            session.Use("DELETE FROM rehearsals WHERE company_id = ?1 AND job_id = ?2").Bind(1, companyId).Bind(2, jobId).Run();
    }
}
