using ApiJobs.PostgreSql.Session;
using Npgsql;

namespace ApiJobs.PostgreSql.Keeping;

/// <summary>Removes what rehearsals have noted, once they have ended: a little at a time.</summary>
internal sealed class RehearsalRemoval(StoreSession session)
{
    private const int RehearsalsPerReading = 100, NotesPerStep = 5_000;

    // All companies', so without a look at their jobs. There are few: one for each lane that rehearses now, and what is to be swept.
    private const string ReadRehearsalsSql = """
        SELECT company_id, job_id FROM rehearsals WHERE (company_id, job_id) > ($1, $2) ORDER BY company_id, job_id LIMIT $3
        """;

    // The job may be gone already. NOT EXISTS would let the planner read all jobs of a company that its statistics do not know.
    private const string HasEnded = "(SELECT true FROM jobs WHERE company_id = $1 AND id = $2 AND end_time IS NULL LIMIT 1) IS NULL";

    // Where a step ends is read apart, so that removing is a range of the key, whatever the planner knows of the table.
    private const string FindEndSql = "SELECT kind, key FROM rehearsal_notes WHERE company_id = $1 AND job_id = $2 ORDER BY kind, key OFFSET $3 LIMIT 1";

    private const string RemoveNotesSql =
        $"DELETE FROM rehearsal_notes WHERE company_id = $1 AND job_id = $2 AND (kind, key) < ($3::smallint, $4) AND {HasEnded}";

    private const string RemoveRehearsalSql = $"""
        WITH notes AS (
            DELETE FROM rehearsal_notes WHERE company_id = $1 AND job_id = $2 AND {HasEnded})
        DELETE FROM rehearsals WHERE company_id = $1 AND job_id = $2 AND {HasEnded}
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
                Sql.Statement(ReadRehearsalsSql, Sql.Value(company), Sql.Value(job), Sql.Value(RehearsalsPerReading)),
                row => (row.GetGuid(0), row.GetGuid(1)), cancellationToken);
            foreach (var (companyId, jobId) in rehearsals)
            {
                if (await RemoveAsync(companyId, jobId, cancellationToken))
                    return true;
                (company, job) = (companyId, jobId);
            }

            if (rehearsals.Count < RehearsalsPerReading)
                return false;
        }
    }

    private async Task<bool> RemoveAsync(Guid companyId, Guid jobId, CancellationToken cancellationToken)
    {
        var end = await session.ReadAsync(
            companyId, TransactionKind.Looking, Sql.Statement(FindEndSql, [.. Job(), Sql.Value(NotesPerStep)]),
            row => (Kind: row.GetInt16(0), Key: row.GetGuid(1)), cancellationToken);
        var remove = end.Count == 0
            ? Sql.Statement(RemoveRehearsalSql, Job())
            : Sql.Statement(RemoveNotesSql, [.. Job(), Sql.Value((int)end[0].Kind), Sql.Value(end[0].Key)]);
        return await session.ExecuteAsync(companyId, TransactionKind.Keeping, cancellationToken, remove) > 0;

        // A parameter belongs to one command.
        NpgsqlParameter[] Job() => [Sql.Value(companyId), Sql.Value(jobId)];
    }
}
