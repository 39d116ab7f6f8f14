using ApiJobs.PostgreSql.Session;

namespace ApiJobs.PostgreSql.Keeping;

/// <summary>Removes what rehearsals have noted, once they have ended: a little at a time.</summary>
internal sealed class RehearsalRemoval(StoreSession session)
{
    private const int RehearsalsPerReading = 100, NotesPerStep = 5_000;

    // All companies', so without a look at their jobs. There are few: one for each lane that rehearses now, and what is to be swept.
    private const string ReadSql = """
        SELECT company_id, job_id FROM rehearsals WHERE (company_id, job_id) > ($1, $2) ORDER BY company_id, job_id LIMIT $3
        """;

    // The job may be gone already. NOT EXISTS would let the planner read all jobs of a company that its statistics do not know.
    private const string HasEnded = "(SELECT true FROM jobs WHERE company_id = $1 AND id = $2 AND end_time IS NULL LIMIT 1) IS NULL";

    private const string RemoveNotesSql = $"""
        DELETE FROM rehearsal_notes n USING (
            SELECT company_id, job_id, kind, key FROM rehearsal_notes WHERE company_id = $1 AND job_id = $2 AND {HasEnded} ORDER BY kind, key LIMIT $3) old
        WHERE n.company_id = $1 AND n.job_id = $2 AND n.kind = old.kind AND n.key = old.key
        """;

    private const string RemoveRehearsalSql = $"""
        DELETE FROM rehearsals WHERE company_id = $1 AND job_id = $2 AND {HasEnded}
          AND (SELECT true FROM rehearsal_notes WHERE company_id = $1 AND job_id = $2 LIMIT 1) IS NULL
        """;

    /// <summary>Takes a small step. Nodes that do this at the same time wait for each other's rows, and find them gone.</summary>
    /// <returns>Whether something was removed.</returns>
    internal async Task<bool> SweepAsync(CancellationToken cancellationToken)
    {
        var (company, job) = (Guid.Empty, Guid.Empty);
        while (true)
        {
            var rehearsals = await session.ReadAsync(
                companyId: null, TransactionKind.Looking,
                Sql.Statement(ReadSql, Sql.Value(company), Sql.Value(job), Sql.Value(RehearsalsPerReading)),
                row => (row.GetGuid(0), row.GetGuid(1)), cancellationToken);
            foreach (var (companyId, jobId) in rehearsals)
            {
                if (await RunAsync(RemoveNotesSql, companyId, jobId, Sql.Value(NotesPerStep)) > 0 || await RunAsync(RemoveRehearsalSql, companyId, jobId) > 0)
                    return true;
                (company, job) = (companyId, jobId);
            }

            if (rehearsals.Count < RehearsalsPerReading)
                return false;
        }

        Task<int> RunAsync(string sql, Guid companyId, Guid jobId, params Npgsql.NpgsqlParameter[] more) => session.ExecuteAsync(
            companyId, TransactionKind.Keeping, cancellationToken, Sql.Statement(sql, [Sql.Value(companyId), Sql.Value(jobId), .. more]));
    }
}
