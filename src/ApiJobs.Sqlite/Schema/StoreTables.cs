namespace ApiJobs.Sqlite.Schema;

/// <summary>The names of the store's own tables, which no resource can have.</summary>
internal static class StoreTables
{
    /// <summary>Which scripts the database has seen.</summary>
    internal const string Journal = "schema_versions";

    private static readonly string[] All =
        [
            "lanes", "jobs", "idempotency_keys", "job_children", "uploads", "chunks", "chunk_results", "job_messages",
            "job_errors", "job_marks", "job_log", "rehearsals", "rehearsal_notes", Journal,
        ];

    /// <summary>Whether a table of this name is the store's, or SQLite's own.</summary>
    internal static bool Has(string name) => All.Contains(name) || name.StartsWith("sqlite_", StringComparison.Ordinal);
}
