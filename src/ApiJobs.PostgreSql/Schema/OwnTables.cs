namespace ApiJobs.PostgreSql.Schema;

/// <summary>The store's own tables: the one list that reserved names, row-level security and the tests go by.</summary>
internal static class OwnTables
{
    /// <summary>The journal of the scripts that have run.</summary>
    internal const string Journal = "schema_versions";

    /// <summary>The store's own tables, but for the journal.</summary>
    /// <remarks>
    /// lanes, lane_tails, uploads and rehearsals are confined to no company: the claim and the sweeps look for work of all companies in one
    /// statement, and these tables hold nothing of a customer's, only ids, positions, times and what lanes suffer from.
    /// </remarks>
    internal static IReadOnlyList<OwnTable> All { get; } =
    [
        new("jobs", "SELECT, INSERT, UPDATE, DELETE", IsConfined: true),
        new("idempotency_keys", "SELECT, INSERT, DELETE", IsConfined: true),
        new("job_children", "SELECT, INSERT, DELETE", IsConfined: true),
        new("chunks", "SELECT, INSERT, DELETE", IsConfined: true),
        new("chunk_results", "SELECT, INSERT, DELETE", IsConfined: true),
        new("job_messages", "SELECT, INSERT, DELETE", IsConfined: true),
        new("rehearsal_notes", "SELECT, INSERT, UPDATE, DELETE", IsConfined: true),
        new("rehearsals", "SELECT, INSERT, DELETE", IsConfined: false),
        new("job_marks", "SELECT, INSERT, DELETE", IsConfined: true),
        new("job_log", "SELECT, INSERT, DELETE", IsConfined: true),
        new("job_errors", "SELECT, INSERT, UPDATE, DELETE", IsConfined: true),
        new("uploads", "SELECT, INSERT, UPDATE, DELETE", IsConfined: false),
        new("lanes", "SELECT, INSERT, UPDATE", IsConfined: false),
        new("lane_tails", "SELECT, INSERT, UPDATE", IsConfined: false),
        // So that a user who may only use the schema can tell at its start that nothing is to be upgraded.
        new(Journal, "SELECT", IsConfined: false),
    ];

    /// <summary>Whether a resource of this name would meet a table of the store's, or of the server's beside it.</summary>
    internal static bool IsReserved(string name) =>
        name == "schema_versions" || name.StartsWith("oauth_", StringComparison.Ordinal) || All.Any(table => table.Name == name);
}

/// <summary>A table, and what company transactions may do with it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Privileges">What the role of company transactions is granted.</param>
/// <param name="IsConfined">Whether row-level security shows each transaction one company's rows only.</param>
internal sealed record OwnTable(string Name, string Privileges, bool IsConfined);
