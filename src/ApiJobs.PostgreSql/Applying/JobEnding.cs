using ApiJobs.Jobs;
using ApiJobs.PostgreSql.Session;
using ApiJobs.Storage;
using Npgsql;

namespace ApiJobs.PostgreSql.Applying;

/// <summary>Ends jobs otherwise than by their last chunk.</summary>
internal sealed class JobEnding(StoreSession session)
{
    private const string FindPlaceSql = "SELECT lane, position, end_time IS NOT NULL FROM jobs WHERE company_id = $1 AND id = $2";

    // Only a job that has not ended is given; its row is held from here on, so that it stays so.
    private const string HoldJobSql = "SELECT 1 FROM jobs WHERE company_id = $1 AND id = $2 AND end_time IS NULL FOR UPDATE";

    private const string TakeKeySql = """
        INSERT INTO idempotency_keys (company_id, client_id, key, job_id, fingerprint)
        SELECT $1, $2, $3, $4, $5
        ON CONFLICT DO NOTHING
        RETURNING 1
        """;

    // Before the step, which then has the job's row locked: two that end one job would both count it otherwise.
    private const string CountEndSql = """
        UPDATE lanes l SET ended_records = l.ended_records + j.total_records, ended_bytes = l.ended_bytes + j.total_bytes
        FROM (SELECT company_id, lane, total_records, total_bytes FROM jobs WHERE company_id = $1 AND id = $2 AND end_time IS NULL FOR UPDATE) j
        WHERE l.company_id = j.company_id AND l.lane = j.lane
        """;

    /// <summary>Ends a job as failed, unless it has ended or the request's key is taken.</summary>
    /// <remarks>Waits for the transaction that applies a chunk of it, if there is one.</remarks>
    internal async Task<EndResult> EndAsync(
        Guid companyId, Guid jobId, JobFailure failure, KeyedRequest? request, CancellationToken cancellationToken)
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
            if (request is null)
                session.Begin(batch, TransactionKind.Ending, companyId);
            else if (await ClaimAsync(connection, companyId, jobId, request, untilCommit) is { } refusal)
                return refusal;
            batch.BatchCommands.Add(Sql.Statement(CountEndSql, Sql.Value(companyId), Sql.Value(jobId)));
            JobProgress.AddTo(batch, companyId, lane, [new(jobId, position, CountedAtEnd: default) { Ends = true, Failure = failure }], TimeSpan.Zero);
            StoreSession.Commit(batch);
            await session.PrepareAsync(batch, untilCommit);
            await using var reader = await batch.ExecuteReaderAsync(untilCommit);
            if (request is null)
                await reader.NextResultAsync(untilCommit);
            var result = await reader.ReadAsync(untilCommit) ? EndResult.Ended : EndResult.HadEnded;
            while (await reader.NextResultAsync(untilCommit)) { }
            return result;
        }
    }

    /// <summary>Begins the transaction, holds the job and takes the key for it.</summary>
    /// <returns>Null to go on; or why not: the transaction is rolled back then.</returns>
    private async Task<EndResult?> ClaimAsync(
        NpgsqlConnection connection, Guid companyId, Guid jobId, KeyedRequest request, CancellationToken untilCommit)
    {
        await using var batch = new NpgsqlBatch(connection) { Timeout = 0 };
        session.Begin(batch, TransactionKind.Ending, companyId);
        batch.BatchCommands.Add(Sql.Statement(HoldJobSql, Sql.Value(companyId), Sql.Value(jobId)));
        batch.BatchCommands.Add(Sql.Statement(
            TakeKeySql, Sql.Value(companyId), Sql.Value(request.ClientId ?? ""), Sql.Value(request.Key), Sql.Value(jobId),
            Sql.Value(request.Fingerprint)));
        await session.PrepareAsync(batch, untilCommit);
        bool isHeld, isKeyed;
        await using (var reader = await batch.ExecuteReaderAsync(untilCommit))
        {
            await reader.NextResultAsync(untilCommit);
            isHeld = await reader.ReadAsync(untilCommit);
            await reader.NextResultAsync(untilCommit);
            isKeyed = await reader.ReadAsync(untilCommit);
        }

        if (isHeld && isKeyed)
            return null;
        await using var rollback = new NpgsqlCommand("ROLLBACK", connection);
        await rollback.ExecuteNonQueryAsync(untilCommit);
        return isHeld ? EndResult.KeyTaken : EndResult.HadEnded;
    }
}
