namespace ApiJobs.Resources;

/// <summary>The rules for names of resources and fields. They become SQL identifiers, so nothing else is let through.</summary>
internal static class ResourceNames
{
    // PostgreSQL cuts identifiers at 63 bytes; the rest is room for the names of indexes.
    private const int MaxLength = 40;

    internal const string Id = "id", CompanyId = "company_id", CreatedAt = "created_at", UpdatedAt = "updated_at";

    internal const string IdPointer = $"/{Id}";

    // The tables of either store: a catalog that works on one must work on the other.
    private static readonly string[] StoreTables =
        [
            "chunk_results", "chunks", "idempotency_keys", "job_children", "job_errors", "job_log", "job_marks", "job_messages", "jobs", "lane_tails", "lanes",
            "rehearsal_notes", "rehearsals", "schema_versions", "uploads",
        ];

    // The server's own, in the same database, and what the databases keep for themselves.
    private static readonly string[] ReservedPrefixes = ["oauth_", "pg_", "sqlite_"];

    internal static bool IsStoreTable(string name) =>
        StoreTables.Contains(name) || ReservedPrefixes.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal));

    internal static bool IsReserved(string name) => name is Id or CompanyId or CreatedAt or UpdatedAt;

    internal static void ThrowIfNotIdentifier(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (name.Length > MaxLength || !char.IsAsciiLetterLower(name[0])
            || !name.All(character => char.IsAsciiLetterLower(character) || char.IsAsciiDigit(character) || character == '_'))
        {
            throw new ArgumentException(
                $"'{name}' is not a name for a resource or field: use lower-case letters, digits and '_', a letter first, at most {MaxLength}.", nameof(name));
        }
    }
}
