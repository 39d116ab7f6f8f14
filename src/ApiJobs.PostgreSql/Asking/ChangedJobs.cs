using ApiJobs.Jobs;
using ApiJobs.PostgreSql.Session;
using ApiJobs.Storage;
using Npgsql;
using NpgsqlTypes;

namespace ApiJobs.PostgreSql.Asking;

/// <summary>Reads what other nodes did to the jobs that are waited for on this one.</summary>
/// <remarks>
/// Row-level security shows a transaction one company's jobs, so each company has one of its own; they are pipelined, like the
/// groups of accepting, and all take one round trip. What has not changed, which is nearly everything nearly always, is not sent.
/// </remarks>
internal sealed class ChangedJobs(StoreSession session)
{
    // Bounds what is on its way at once, and for how long a connection of the pool is taken.
    private const int CompaniesAtOnce = 500;

    // LATERAL with a limit is always a look-up, even where statistics know nothing of the company.
    private const string ReadSql = $"""
        SELECT j.*
        FROM unnest($2::uuid[], $3::int[]) AS s(seen_id, seen_chunk)
        CROSS JOIN LATERAL (
            SELECT {JobRow.Columns} FROM jobs
            WHERE company_id = $1 AND id = seen_id AND (next_chunk > seen_chunk OR end_time IS NOT NULL)
            LIMIT 1) j
        """;

    internal async Task<IReadOnlyList<ApiJob>> ReadAsync(IReadOnlyCollection<SeenJob> seen, CancellationToken cancellationToken)
    {
        var changed = new List<ApiJob>();
        foreach (var companies in seen.GroupBy(job => job.CompanyId, (company, jobs) => (Id: company, Jobs: jobs.ToArray())).Chunk(CompaniesAtOnce))
            await session.ServeAsync(connection => ReadAsync(connection, companies, changed, cancellationToken), cancellationToken);
        return changed;
    }

    private async Task<bool> ReadAsync(
        NpgsqlConnection connection, (Guid Id, SeenJob[] Jobs)[] companies, List<ApiJob> changed, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection);
        foreach (var (companyId, jobs) in companies)
        {
            session.Begin(batch, TransactionKind.Looking, companyId);
            batch.BatchCommands.Add(Sql.Statement(
                ReadSql, Sql.Value(companyId), Sql.Column(jobs, job => job.JobId, NpgsqlDbType.Uuid),
                Sql.Column(jobs, job => job.NextChunk, NpgsqlDbType.Integer)));
            StoreSession.Commit(batch);
        }

        await session.PrepareAsync(batch, cancellationToken);
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        for (var i = 0; i < companies.Length; i++)
        {
            // The reader stands on what began the company's transaction.
            await reader.NextResultAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
                changed.Add(JobRow.Read(reader));
            await reader.NextResultAsync(cancellationToken);
        }

        return true;
    }
}
