using ApiJobs.Jobs;
using ApiJobs.PostgreSql.Session;
using ApiJobs.Storage;
using Npgsql;

namespace ApiJobs.PostgreSql.Applying;

/// <summary>Ends jobs otherwise than by their last chunk.</summary>
internal sealed class JobEnding(StoreSession session)
{
    private const string FindPlaceSql = "SELECT lane, position, end_time IS NOT NULL FROM jobs WHERE company_id = $1 AND id = $2";

    // Before the step, which then has the job's row locked: two that end one job would both count it otherwise.
    private const string CountEndSql = """
        UPDATE lanes l SET ended_records = l.ended_records + j.total_records, ended_bytes = l.ended_bytes + j.total_bytes
        FROM (SELECT company_id, lane, total_records, total_bytes FROM jobs WHERE company_id = $1 AND id = $2 AND end_time IS NULL FOR UPDATE) j
        WHERE l.company_id = j.company_id AND l.lane = j.lane
        """;

    /// <summary>Ends a job as failed, unless it has ended.</summary>
    /// <remarks>Waits for the transaction that applies a chunk of it, if there is one.</remarks>
    internal async Task<EndResult> EndAsync(Guid companyId, Guid jobId, JobFailure failure, CancellationToken cancellationToken)
    {
        var places = await session.ReadAsync(
            companyId, TransactionKind.Looking, Sql.Statement(FindPlaceSql, Sql.Value(companyId), Sql.Value(jobId)),
            row => (Lane: row.GetString(0), Position: row.GetInt64(1), HasEnded: row.GetBoolean(2)), cancellationToken);
        if (places.Count == 0)
            return EndResult.Unknown;
        var (lane, position, hasEnded) = places[0];
        if (hasEnded)
            return EndResult.HadEnded;

        return await session.ServeCommitAsync(End, cancellationToken);

        async Task<EndResult> End(NpgsqlConnection connection, CancellationToken untilCommit)
        {
            await using var batch = new NpgsqlBatch(connection) { Timeout = 0 };
            session.Begin(batch, TransactionKind.Ending, companyId);
            batch.BatchCommands.Add(Sql.Statement(CountEndSql, Sql.Value(companyId), Sql.Value(jobId)));
            JobProgress.AddTo(batch, companyId, lane, [new(jobId, position, CountedAtEnd: default) { Ends = true, Failure = failure }], TimeSpan.Zero);
            StoreSession.Commit(batch);
            await session.PrepareAsync(batch, untilCommit);
            await using var reader = await batch.ExecuteReaderAsync(untilCommit);
            await reader.NextResultAsync(untilCommit);
            var result = await reader.ReadAsync(untilCommit) ? EndResult.Ended : EndResult.HadEnded;
            while (await reader.NextResultAsync(untilCommit)) { }
            return result;
        }
    }
}
