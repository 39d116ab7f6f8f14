using ApiJobs.PostgreSql.Isolation;
using ApiJobs.PostgreSql.Lanes;
using Npgsql;
using NpgsqlTypes;

namespace ApiJobs.PostgreSql.Accepting;

/// <summary>Stores a group of acceptances as one transaction in one round trip.</summary>
/// <remarks>
/// The statements of all companies are pipelined without a BEGIN: what stands before one Sync is one transaction. Companies
/// go in the order of their ids and lanes in the order of their names, on all nodes, so groups cannot deadlock.
/// </remarks>
internal static class AcceptGroup
{
    // An acknowledged job is never lost, whatever the database's default; a stronger setting than "on" is left alone.
    private const string WaitForDisk =
        "SELECT CASE WHEN current_setting('synchronous_commit') = 'off' THEN set_config('synchronous_commit', 'on', true) END";

    private const string BeginUploadsSql = """
        INSERT INTO uploads (company_id, job_id, touched_at)
        SELECT $1, job_id, clock_timestamp() FROM unnest($2::uuid[]) AS u(job_id)
        ON CONFLICT DO NOTHING
        """;

    // Payloads are subscripted, not unnested in FROM: a function scan would copy them to a temporary file.
    // "differs" sees the chunks as of before the statement: only what an earlier append stored.
    private const string AppendSql = """
        WITH input AS (
            SELECT * FROM unnest($2::uuid[], $3::int[], $4::bigint[], $5::int[]) WITH ORDINALITY
                AS i(job_id, chunk_index, first_record, record_count, ordinal)),
        touched AS (
            UPDATE uploads SET touched_at = clock_timestamp()
            WHERE company_id = $1 AND job_id = ANY($2) AND NOT abandoned
            RETURNING job_id),
        stored AS (
            INSERT INTO chunks (company_id, job_id, chunk_index, first_record, record_count, payload)
            SELECT $1, i.job_id, i.chunk_index, i.first_record, i.record_count, ($6::bytea[])[i.ordinal]
            FROM input i JOIN touched USING (job_id)
            ON CONFLICT DO NOTHING)
        SELECT i.ordinal,
            EXISTS (
                SELECT FROM chunks c
                WHERE c.company_id = $1 AND c.job_id = i.job_id AND c.chunk_index = i.chunk_index
                  AND (c.first_record, c.record_count, c.payload)
                      IS DISTINCT FROM (i.first_record, i.record_count, ($6::bytea[])[i.ordinal])) AS differs
        FROM input i JOIN touched USING (job_id)
        """;

    // An upload is held from here on, so that a lane is made for jobs only that will be sealed: a swept one leaves nothing.
    private const string MakeLanesSql = """
        WITH input AS (SELECT * FROM unnest($2::uuid[], $3::text[], $4::int[]) AS i(job_id, lane, chunk_count)),
        held AS (
            SELECT job_id FROM uploads
            WHERE company_id = $1 AND NOT abandoned AND job_id IN (SELECT job_id FROM input WHERE chunk_count > 1)
            ORDER BY job_id
            FOR UPDATE),
        made AS (
            INSERT INTO lane_tails (company_id, lane)
            SELECT DISTINCT $1::uuid, lane FROM input i
            WHERE (chunk_count = 1 OR job_id IN (SELECT job_id FROM held))
              AND NOT EXISTS (SELECT FROM lane_tails t WHERE t.company_id = $1 AND t.lane = i.lane)
            ORDER BY lane
            ON CONFLICT DO NOTHING
            RETURNING lane)
        INSERT INTO lanes (company_id, lane) SELECT $1, lane FROM made
        """;

    private const string LockTailsSql = "SELECT 1 FROM lane_tails WHERE company_id = $1 AND lane = ANY($2) ORDER BY lane FOR UPDATE";

    // Behind the lock on the tails this is alone in its lanes, and sees what others sealed before. A job that exists
    // already takes no position; a job of several chunks must still have its upload. NOT EXISTS would let the planner
    // read all jobs of a company that its statistics do not know; the scalar subquery with LIMIT is always a look-up.
    private const string SealSql = """
        WITH input AS (
            SELECT * FROM unnest(
                $2::uuid[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::int[], $8::timestamptz[], $9::bigint[], $10::int[])
                WITH ORDINALITY AS i(
                    job_id, lane, type, options, total_records, chunk_count, created_at, first_record, record_count, ordinal)),
        uploaded AS (
            DELETE FROM uploads
            WHERE company_id = $1 AND NOT abandoned AND job_id IN (SELECT job_id FROM input WHERE chunk_count > 1)
            RETURNING job_id),
        sealed AS (
            SELECT i.*, t.next_position - 1 + row_number() OVER (PARTITION BY i.lane ORDER BY i.ordinal) AS position
            FROM input i JOIN lane_tails t ON t.company_id = $1 AND t.lane = i.lane
            WHERE (i.chunk_count = 1 OR i.job_id IN (SELECT job_id FROM uploaded))
              AND (SELECT true FROM jobs j WHERE j.company_id = $1 AND j.id = i.job_id LIMIT 1) IS NULL),
        last_chunks AS (
            INSERT INTO chunks (company_id, job_id, chunk_index, first_record, record_count, payload)
            SELECT $1, job_id, chunk_count - 1, first_record, record_count, ($11::bytea[])[ordinal] FROM sealed),
        made AS (
            INSERT INTO jobs (company_id, id, type, lane, position, options, total_records, chunk_count, created_at, updated_at)
            SELECT $1, job_id, type, lane, position, options, total_records, chunk_count, created_at, created_at FROM sealed),
        moved AS (
            UPDATE lane_tails t SET next_position = s.last_position + 1
            FROM (SELECT lane, max(position) AS last_position FROM sealed GROUP BY lane) s
            WHERE t.company_id = $1 AND t.lane = s.lane),
        woken AS (
            UPDATE lanes SET has_work = true
            WHERE company_id = $1 AND NOT has_work AND lane IN (SELECT lane FROM sealed)
            RETURNING lane)
        SELECT ordinal, position, EXISTS (SELECT FROM woken) FROM sealed
        """;

    /// <summary>Writes the group and settles every acceptance in it, after the commit.</summary>
    /// <exception cref="NpgsqlException">Nothing was written, or it is not known; no acceptance was settled.</exception>
    internal static async Task WriteAsync(
        ConnectionPool connections, CompanyScope scope, WorkAnnouncer announcer, IReadOnlyCollection<Acceptance> group)
    {
        var parts = group.GroupBy(acceptance => acceptance.CompanyId).OrderBy(company => company.Key).SelectMany(PartsOf).ToList();
        var answers = new Dictionary<Acceptance, AcceptResult>(group.Count, ReferenceEqualityComparer.Instance);
        var hasWoken = false;

        await using (var connection = await connections.OpenAsync(CancellationToken.None))
        await using (var batch = new NpgsqlBatch(connection))
        {
            batch.BatchCommands.Add(Sql.Statement(WaitForDisk));
            batch.BatchCommands.Add(Sql.Statement(Sql.ByKey));
            foreach (var part in parts)
            {
                // Each company's statements run confined to it, in the one transaction that they share.
                part.ResultsBefore += scope.Enter(batch, part.CompanyId) ? 1 : 0;
                foreach (var statement in part.Statements)
                    batch.BatchCommands.Add(statement);
            }

            await connections.PrepareAsync(batch, CancellationToken.None);
            await using var reader = await batch.ExecuteReaderAsync();
            // The one that waits for the disk comes first, and is where the reader stands.
            await reader.NextResultAsync();
            foreach (var part in parts)
            {
                for (var skipped = 0; skipped <= part.ResultsBefore; skipped++)
                    await reader.NextResultAsync();
                while (await reader.ReadAsync())
                {
                    var acceptance = part.Acceptances[(int)reader.GetInt64(0) - 1];
                    if (acceptance.Job is null)
                    {
                        if (reader.GetBoolean(1))
                            throw new InvalidOperationException($"Upload {acceptance.JobId} has other records in its chunk {acceptance.Chunk.Index} already.");
                        answers[acceptance] = new AcceptResult.Appended();
                    }
                    else
                    {
                        answers[acceptance] = new AcceptResult.Sealed(reader.GetInt64(1));
                        hasWoken |= reader.GetBoolean(2);
                    }
                }
            }

            // The commit's answer comes after the last result: only now is the group durable.
            while (await reader.NextResultAsync()) { }
        }

        foreach (var acceptance in group)
            acceptance.Settle(answers.GetValueOrDefault(acceptance) ?? new AcceptResult.Swept());
        if (hasWoken)
            announcer.Announce();
    }

    /// <summary>Statements of one company, of which the last gives the answers.</summary>
    private sealed record Part(Guid CompanyId, Acceptance[] Acceptances, NpgsqlBatchCommand[] Statements)
    {
        internal int ResultsBefore { get; set; }
    }

    private static IEnumerable<Part> PartsOf(IGrouping<Guid, Acceptance> company)
    {
        var appends = company.Where(acceptance => acceptance.Job is null).ToArray();
        if (appends.Length > 0)
            yield return new(company.Key, appends, [.. Appending(company.Key, appends)]);
        var seals = company.Where(acceptance => acceptance.Job is not null).ToArray();
        if (seals.Length > 0)
        {
            // Locking gives a result too.
            yield return new(company.Key, seals, [.. Sealing(company.Key, seals)]) { ResultsBefore = 1 };
        }
    }

    private static IEnumerable<NpgsqlBatchCommand> Appending(Guid companyId, Acceptance[] appends)
    {
        var begun = appends.Where(append => append.Chunk.Index == 0).Select(append => append.JobId).Distinct().ToArray();
        if (begun.Length > 0)
            yield return Sql.Statement(BeginUploadsSql, Sql.Value(companyId), Sql.Array(begun, NpgsqlDbType.Uuid));
        yield return Sql.Statement(
            AppendSql, Sql.Value(companyId), Column(appends, append => append.JobId, NpgsqlDbType.Uuid),
            Column(appends, append => append.Chunk.Index, NpgsqlDbType.Integer),
            Column(appends, append => append.Chunk.FirstRecord, NpgsqlDbType.Bigint),
            Column(appends, append => append.Chunk.RecordCount, NpgsqlDbType.Integer),
            Column(appends, append => append.Chunk.Payload, NpgsqlDbType.Bytea));
    }

    private static IEnumerable<NpgsqlBatchCommand> Sealing(Guid companyId, Acceptance[] seals)
    {
        yield return Sql.Statement(
            MakeLanesSql, Sql.Value(companyId), Column(seals, seal => seal.JobId, NpgsqlDbType.Uuid),
            Column(seals, seal => seal.Job!.Lane, NpgsqlDbType.Text), Column(seals, seal => seal.Chunk.Index + 1, NpgsqlDbType.Integer));
        yield return Sql.Statement(LockTailsSql, Sql.Value(companyId), Column(seals, seal => seal.Job!.Lane, NpgsqlDbType.Text));
        yield return Sql.Statement(
            SealSql, Sql.Value(companyId), Column(seals, seal => seal.JobId, NpgsqlDbType.Uuid),
            Column(seals, seal => seal.Job!.Lane, NpgsqlDbType.Text),
            Column(seals, seal => seal.Job!.Type, NpgsqlDbType.Text),
            Column(seals, seal => seal.Job!.Options.ToJson(), NpgsqlDbType.Text),
            Column(seals, seal => seal.Job!.TotalRecords, NpgsqlDbType.Bigint),
            Column(seals, seal => seal.Chunk.Index + 1, NpgsqlDbType.Integer),
            Column(seals, seal => Sql.Microseconds(seal.Job!.CreatedAt), NpgsqlDbType.TimestampTz),
            Column(seals, seal => seal.Chunk.FirstRecord, NpgsqlDbType.Bigint),
            Column(seals, seal => seal.Chunk.RecordCount, NpgsqlDbType.Integer),
            Column(seals, seal => seal.Chunk.Payload, NpgsqlDbType.Bytea));
    }

    private static NpgsqlParameter Column<T>(Acceptance[] acceptances, Func<Acceptance, T> value, NpgsqlDbType type) =>
        Sql.Array(System.Array.ConvertAll(acceptances, acceptance => value(acceptance)), type);
}
