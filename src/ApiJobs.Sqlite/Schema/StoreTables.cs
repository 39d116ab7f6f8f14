namespace ApiJobs.Sqlite.Schema;

/// <summary>The names that the store keeps for its own tables, and those of others in the same file.</summary>
internal static class StoreTables
{
    internal const string Journal = "schema_versions";

    private static readonly string[] Own =
        ["lanes", "jobs", "idempotency_keys", "uploads", "chunks", "chunk_results", "job_messages", Journal];

    // SQLite's own, and the server's.
    private static readonly string[] Prefixes = ["sqlite_", "oauth_"];

    internal static bool IsReserved(string name) =>
        Own.Contains(name) || Prefixes.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal));
}
