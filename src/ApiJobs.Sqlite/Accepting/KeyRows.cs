using ApiJobs.Sqlite.Connections;
using ApiJobs.Storage;

namespace ApiJobs.Sqlite.Accepting;

/// <summary>Which job a client's idempotency key stands for. Callers who are not told apart share the keys of the client without a name.</summary>
internal static class KeyRows
{
    internal static KeyHolder? Find(SqliteSession session, Guid companyId, string? clientId, string key)
    {
        using var find = session.Use("SELECT job_id, fingerprint FROM idempotency_keys WHERE company_id = ?1 AND client_id = ?2 AND key = ?3");
        return find.Bind(1, companyId).Bind(2, clientId ?? "").Bind(3, key).Read()
            ? new(find.Guid(0), find.Bytes(1))
            : null;
    }

    /// <summary>Keeps a key that <see cref="Find"/> has not found in the same transaction.</summary>
    internal static void Insert(SqliteSession session, Guid companyId, Guid jobId, KeyedRequest request) =>
        session.Use("INSERT INTO idempotency_keys (company_id, client_id, key, job_id, fingerprint) VALUES (?1, ?2, ?3, ?4, ?5)")
            .Bind(1, companyId).Bind(2, request.ClientId ?? "").Bind(3, request.Key).Bind(4, jobId).Bind(5, request.Fingerprint.Span).Run();

    internal static void RemoveOf(SqliteSession session, Guid companyId, Guid jobId) =>
        session.Use("DELETE FROM idempotency_keys WHERE company_id = ?1 AND job_id = ?2").Bind(1, companyId).Bind(2, jobId).Run();
}
