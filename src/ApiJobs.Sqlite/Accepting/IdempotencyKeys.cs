using ApiJobs.Jobs;
using ApiJobs.Sqlite.Session;
using ApiJobs.Storage;

namespace ApiJobs.Sqlite.Accepting;

/// <summary>Which job a client's key was used for. A key lives exactly as long as its job.</summary>
internal static class IdempotencyKeys
{
    internal static SealResult.KeyTaken? Find(PreparedConnection connection, NewJob job)
    {
        if (job.Origin.IdempotencyKey is not { } key)
            return null;
        using var find = connection.Use("SELECT job_id, fingerprint FROM idempotency_keys WHERE company_id = ?1 AND client_id = ?2 AND key = ?3");
        return find.Bind(1, job.CompanyId).Bind(2, job.Origin.ClientId ?? "").Bind(3, key).Read() ? new(find.Guid(0), find.Bytes(1)) : null;
    }

    internal static void Keep(PreparedConnection connection, NewJob job)
    {
        if (job.Origin.IdempotencyKey is { } key)
            connection.Use("INSERT INTO idempotency_keys (company_id, client_id, key, job_id, fingerprint) VALUES (?1, ?2, ?3, ?4, ?5)")
                .Bind(1, job.CompanyId).Bind(2, job.Origin.ClientId ?? "").Bind(3, key).Bind(4, job.Id).Bind(5, job.Fingerprint.Span).Run();
    }

    /// <summary>Forgets the key of a job that is removed.</summary>
    internal static void Forget(PreparedConnection connection, Guid companyId, JobOrigin origin)
    {
        if (origin.IdempotencyKey is { } key)
            connection.Use("DELETE FROM idempotency_keys WHERE company_id = ?1 AND client_id = ?2 AND key = ?3")
                .Bind(1, companyId).Bind(2, origin.ClientId ?? "").Bind(3, key).Run();
    }
}
