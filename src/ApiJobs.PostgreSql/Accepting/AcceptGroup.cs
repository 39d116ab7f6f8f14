using ApiJobs.PostgreSql.Lanes;
using ApiJobs.PostgreSql.Session;
using Npgsql;

namespace ApiJobs.PostgreSql.Accepting;

/// <summary>Stores a group of acceptances in one round trip: one transaction a company, and one wait for the disk.</summary>
/// <remarks>
/// The transactions of several companies are pipelined; none of them waits for the disk but the last one, whose wait is
/// theirs too, because the log is written in order. Each lets go of its locks at its own commit. Lanes go in the order of
/// their names, uploads in that of their ids, on all nodes, so groups cannot deadlock.
/// </remarks>
internal sealed class AcceptGroup(StoreSession session, WorkAnnouncer announcer)
{
    /// <summary>Writes the group and settles every acceptance in it, after the commit.</summary>
    /// <exception cref="NpgsqlException">Nothing was written, or it is not known; no acceptance was settled.</exception>
    /// <exception cref="ApiJobs.Storage.StoreUnavailableException">Whether it was written, or for good, is not known; no acceptance was settled.</exception>
    internal async Task WriteAsync(IReadOnlyCollection<Acceptance> group, bool isImpatient)
    {
        var companies = group.GroupBy(acceptance => acceptance.CompanyId).Select(StatementsOf).ToArray();
        var answers = new Dictionary<Acceptance, AcceptResult>(group.Count, ReferenceEqualityComparer.Instance);
        var connection = await session.OpenAsync(CancellationToken.None);
        await session.CommitAsync(connection, Write);

        foreach (var acceptance in group)
            acceptance.Settle(answers.GetValueOrDefault(acceptance) ?? new AcceptResult.Swept());
        if (companies.Any(company => company.Statements.Any(statements => statements is SealStatements { HasWoken: true })))
            announcer.Announce();

        async Task<bool> Write(CancellationToken untilCommit)
        {
            await using var batch = new NpgsqlBatch(connection) { Timeout = 0 };
            var kind = companies.Length > 1 ? TransactionKind.AcceptingAhead
                : isImpatient ? TransactionKind.AcceptingImpatiently : TransactionKind.Accepting;
            foreach (var (companyId, statements) in companies)
            {
                session.Begin(batch, kind, companyId);
                foreach (var part in statements)
                    part.AddTo(batch);
                StoreSession.Commit(batch);
            }

            if (companies.Length > 1)
                session.Flush(batch);
            await session.PrepareAsync(batch, untilCommit);
            await using var reader = await batch.ExecuteReaderAsync(untilCommit);
            for (var i = 0; i < companies.Length; i++)
            {
                if (i > 0)
                    await reader.NextResultAsync(untilCommit);
                // The reader stands on what began the company's transaction.
                foreach (var part in companies[i].Statements)
                {
                    for (var skipped = 0; skipped <= part.ResultsBefore; skipped++)
                        await reader.NextResultAsync(untilCommit);
                    while (await reader.ReadAsync(untilCommit))
                    {
                        var (index, result) = part.Read(reader);
                        answers[part.Acceptances[index]] = result;
                    }
                }
            }

            // The last commit's answer comes after the last result: only now is the group durable.
            while (await reader.NextResultAsync(untilCommit)) { }
            return true;
        }
    }

    private static (Guid CompanyId, List<IAcceptStatements> Statements) StatementsOf(IGrouping<Guid, Acceptance> company)
    {
        var statements = new List<IAcceptStatements>();
        foreach (var appends in OneAJob(company.Where(acceptance => acceptance.Job is null)))
            statements.Add(new AppendStatements(company.Key, appends));
        foreach (var seals in OneAJob(company.Where(acceptance => acceptance.Job is not null)))
            statements.Add(new SealStatements(company.Key, seals));
        return (company.Key, statements);
    }

    // A statement sees what was before it: what comes twice for a job, as when an answer was lost, needs a second one.
    private static IEnumerable<Acceptance[]> OneAJob(IEnumerable<Acceptance> acceptances)
    {
        var rest = acceptances.ToList();
        while (rest.Count > 0)
        {
            var jobs = new HashSet<Guid>(rest.Count);
            var firsts = rest.Where(acceptance => jobs.Add(acceptance.JobId)).ToArray();
            yield return firsts;
            if (firsts.Length == rest.Count)
                yield break;
            rest = [.. rest.Except(firsts, ReferenceEqualityComparer.Instance).Cast<Acceptance>()];
        }
    }
}
