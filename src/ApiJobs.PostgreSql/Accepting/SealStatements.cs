using ApiJobs.PostgreSql.Session;
using Npgsql;
using NpgsqlTypes;

namespace ApiJobs.PostgreSql.Accepting;

/// <summary>Seals jobs of one company, each once.</summary>
/// <remarks>
/// Payloads go first, and the tails of lanes are locked after them, by statements that fit one packet: a node that stops while it
/// sends holds nothing then that others of its company wait for. For the same reason keys, and then parents, are taken before tails.
/// </remarks>
internal sealed class SealStatements(Guid companyId, Acceptance[] seals) : IAcceptStatements
{
    // What can be sealed of an upload is decided on its row, which is held from the first statement on.
    private const string IsComplete =
        "u.next_chunk = i.chunk_count - 1 AND u.record_count + i.record_count = i.total_records AND NOT u.abandoned";

    private const string IsWhole = $"""
        (i.chunk_count = 1 OR (
            SELECT true FROM uploads u WHERE u.company_id = $1 AND u.job_id = i.job_id AND {IsComplete} LIMIT 1))
        """;

    private const string HasKey = """
        (i.key IS NULL OR i.job_id = (
            SELECT k.job_id FROM idempotency_keys k WHERE k.company_id = $1 AND k.client_id = i.client_id AND k.key = i.key LIMIT 1))
        """;

    private const string StoreLastChunksSql = """
        WITH input AS (
            SELECT * FROM unnest($2::uuid[], $3::int[], $4::bigint[], $5::int[]) WITH ORDINALITY
                AS i(job_id, chunk_index, first_record, record_count, ordinal)),
        held AS (
            SELECT job_id, next_chunk FROM uploads
            WHERE company_id = $1 AND NOT abandoned AND job_id IN (SELECT job_id FROM input WHERE chunk_index > 0)
            ORDER BY job_id
            FOR UPDATE)
        INSERT INTO chunks (company_id, job_id, chunk_index, first_record, record_count, payload)
        SELECT $1, i.job_id, i.chunk_index, i.first_record, i.record_count, ($6::bytea[])[i.ordinal]
        FROM input i LEFT JOIN held h USING (job_id)
        WHERE (i.chunk_index = 0 OR h.next_chunk = i.chunk_index)
          AND (SELECT true FROM jobs j WHERE j.company_id = $1 AND j.id = i.job_id LIMIT 1) IS NULL
        ON CONFLICT DO NOTHING
        """;

    // Only for jobs that will be sealed unless their key is taken; so whose key it is, is known from here on.
    private const string TakeKeysSql = $"""
        INSERT INTO idempotency_keys (company_id, client_id, key, job_id, fingerprint)
        SELECT $1, i.client_id, i.key, i.job_id, ($8::bytea[])[i.ordinal]
        FROM unnest($2::uuid[], $3::int[], $4::int[], $5::bigint[], $6::text[], $7::text[]) WITH ORDINALITY
            AS i(job_id, chunk_count, record_count, total_records, client_id, key, ordinal)
        WHERE i.key IS NOT NULL AND {IsWhole}
        ORDER BY i.client_id, i.key, i.ordinal
        ON CONFLICT DO NOTHING
        """;

    // Only for jobs that will be sealed, their key being theirs, unless their parent is taken.
    private const string TakeParentsSql = $"""
        INSERT INTO job_children (company_id, parent_id, kind, child_id)
        SELECT $1, i.parent_id, i.kind, i.job_id
        FROM unnest($2::uuid[], $3::int[], $4::int[], $5::bigint[], $6::text[], $7::text[], $8::uuid[], $9::smallint[]) WITH ORDINALITY
            AS i(job_id, chunk_count, record_count, total_records, client_id, key, parent_id, kind, ordinal)
        WHERE i.kind IS NOT NULL AND {IsWhole} AND {HasKey}
        ORDER BY i.parent_id, i.kind, i.ordinal
        ON CONFLICT DO NOTHING
        """;

    // A lane is made for jobs only that will be sealed: what is refused leaves nothing.
    private const string MakeLanesSql = $"""
        WITH made AS (
            INSERT INTO lane_tails (company_id, lane)
            SELECT DISTINCT $1::uuid, i.lane
            FROM unnest($2::uuid[], $3::int[], $4::int[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::uuid[], $10::smallint[])
                AS i(job_id, chunk_count, record_count, total_records, client_id, key, lane, parent_id, kind)
            WHERE (SELECT true FROM lane_tails t WHERE t.company_id = $1 AND t.lane = i.lane LIMIT 1) IS NULL
              AND {IsWhole} AND {HasKey}
              AND (i.kind IS NULL OR i.job_id = (
                SELECT c.child_id FROM job_children c WHERE c.company_id = $1 AND c.parent_id = i.parent_id AND c.kind = i.kind LIMIT 1))
            ORDER BY 2
            ON CONFLICT DO NOTHING
            RETURNING lane)
        INSERT INTO lanes (company_id, lane) SELECT $1, lane FROM made
        """;

    internal const string LockTailsSql = "SELECT 1 FROM lane_tails WHERE company_id = $1 AND lane = ANY($2) ORDER BY lane FOR UPDATE";

    /// <summary>Gives out the positions of the jobs that a statement has as <c>sealed</c>, counts what waits since, and wakes their lanes.</summary>
    internal const string MoveLanes = """
        moved AS (
            UPDATE lane_tails t SET
                next_position = s.last_position + 1, last_created_at = s.created_at,
                sealed_records = t.sealed_records + s.records, sealed_bytes = t.sealed_bytes + s.bytes
            FROM (
                SELECT lane, max(position) AS last_position, max(created_at) AS created_at,
                    sum(total_records)::bigint AS records, sum(total_bytes)::bigint AS bytes
                FROM sealed GROUP BY lane) s
            WHERE t.company_id = $1 AND t.lane = s.lane),
        woken AS (
            UPDATE lanes SET has_work = true
            WHERE company_id = $1 AND NOT has_work AND lane IN (SELECT lane FROM sealed)
            RETURNING lane)
        """;

    // Behind the lock on the tails this is alone in its lanes, and sees what others sealed before. A job that exists
    // already takes no position. NOT EXISTS would let the planner read all jobs of a company that its statistics do not know; a
    // scalar or lateral subquery with LIMIT is always a look-up. Whoever had the key or the parent before may have been removed since
    // they were asked for: then nobody has them, this job neither.
    private const string SealSql = $"""
        WITH input AS (
            SELECT * FROM unnest(
                $2::uuid[], $3::int[], $4::int[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::uuid[], $13::text[],
                $14::bigint[], $15::bigint[], $16::smallint[])
                WITH ORDINALITY AS i(
                    job_id, chunk_count, record_count, total_records, key_client_id, key, lane, type, options, client_id, parent_id, trace_parent,
                    total_bytes, max_failed, kind, ordinal)),
        judged AS (
            SELECT i.*, k.job_id AS key_job_id, k.fingerprint, c.child_id,
                CASE
                    WHEN (SELECT true FROM jobs j WHERE j.company_id = $1 AND j.id = i.job_id LIMIT 1) THEN 'was sealed'
                    WHEN i.chunk_count > 1 AND u.next_chunk IS NULL THEN 'swept'
                    WHEN i.chunk_count > 1 AND u.next_chunk <> i.chunk_count - 1 THEN 'out of order'
                    WHEN i.chunk_count > 1 AND u.record_count + i.record_count <> i.total_records THEN 'miscounted'
                    WHEN i.key IS NOT NULL AND k.job_id IS NULL THEN 'claim gone'
                    WHEN i.key IS NOT NULL AND k.job_id <> i.job_id THEN 'key taken'
                    WHEN i.kind IS NOT NULL AND c.child_id IS NULL THEN 'claim gone'
                    WHEN i.kind IS NOT NULL AND c.child_id <> i.job_id THEN 'parent taken'
                    ELSE 'sealed'
                END AS verdict
            FROM input i
            LEFT JOIN LATERAL (
                SELECT next_chunk, record_count FROM uploads
                WHERE company_id = $1 AND job_id = i.job_id AND NOT abandoned AND i.chunk_count > 1 LIMIT 1) u ON true
            LEFT JOIN LATERAL (
                SELECT job_id, fingerprint FROM idempotency_keys
                WHERE company_id = $1 AND client_id = i.key_client_id AND key = i.key AND i.key IS NOT NULL LIMIT 1) k ON true
            LEFT JOIN LATERAL (
                SELECT child_id FROM job_children
                WHERE company_id = $1 AND parent_id = i.parent_id AND kind = i.kind AND i.kind IS NOT NULL LIMIT 1) c ON true),
        sealed AS (
            SELECT j.*, t.next_position - 1 + row_number() OVER (PARTITION BY j.lane ORDER BY j.ordinal) AS position,
                GREATEST(now(), t.last_created_at) AS created_at
            FROM judged j JOIN lane_tails t ON t.company_id = $1 AND t.lane = j.lane
            WHERE j.verdict = 'sealed'),
        uploaded AS (
            DELETE FROM uploads WHERE company_id = $1 AND job_id IN (SELECT job_id FROM sealed WHERE chunk_count > 1)),
        refused AS (
            DELETE FROM chunks c USING judged r
            WHERE c.company_id = $1 AND c.job_id = r.job_id AND c.chunk_index = r.chunk_count - 1 AND r.verdict IN ('key taken', 'parent taken', 'claim gone', 'miscounted')),
        -- Keys are taken first, so that who sends a request again gets its own job.
        given_back AS (
            DELETE FROM idempotency_keys k USING judged r
            WHERE k.company_id = $1 AND k.client_id = r.key_client_id AND k.key = r.key AND k.job_id = r.job_id AND r.verdict IN ('parent taken', 'claim gone')),
        made AS (
            INSERT INTO jobs (
                company_id, id, type, lane, position, options, client_id, parent_id, idempotency_key, trace_parent,
                total_records, chunk_count, created_at, updated_at, total_bytes, max_failed)
            SELECT $1, job_id, type, lane, position, options, client_id, parent_id, key, trace_parent,
                total_records, chunk_count, created_at, created_at, total_bytes, max_failed
            FROM sealed),
        {MarkStatements.MarkSealed},
        {MoveLanes}
        SELECT j.ordinal, j.verdict, s.position, s.created_at, j.key_job_id, j.fingerprint, EXISTS (SELECT FROM woken), j.child_id
        FROM judged j LEFT JOIN sealed s USING (ordinal)
        """;

    public IReadOnlyList<Acceptance> Acceptances => seals;

    // Locking gives a result too.
    public int ResultsBefore => 1;

    public bool HasWoken { get; private set; }

    public AcceptResult Otherwise { get; } = new AcceptResult.Swept();

    public void AddTo(NpgsqlBatch batch)
    {
        batch.BatchCommands.Add(Sql.Statement(
            StoreLastChunksSql, Sql.Value(companyId), Column(seal => seal.JobId, NpgsqlDbType.Uuid),
            Column(seal => seal.Chunk.Index, NpgsqlDbType.Integer), Column(seal => seal.Chunk.FirstRecord, NpgsqlDbType.Bigint),
            Column(seal => seal.Chunk.RecordCount, NpgsqlDbType.Integer), Column(seal => seal.Chunk.Payload, NpgsqlDbType.Bytea)));
        if (Array.Exists(seals, seal => seal.Job!.Origin.IdempotencyKey is not null))
            batch.BatchCommands.Add(Sql.Statement(TakeKeysSql, [.. Numbers(), Column(seal => seal.Job!.Fingerprint, NpgsqlDbType.Bytea)]));
        if (Array.Exists(seals, seal => seal.Job!.Descent is not null))
            batch.BatchCommands.Add(Sql.Statement(TakeParentsSql, [.. Numbers(), ParentId(), Kind()]));
        batch.BatchCommands.Add(Sql.Statement(MakeLanesSql, [.. Numbers(), Column(seal => seal.Job!.Lane, NpgsqlDbType.Text), ParentId(), Kind()]));
        batch.BatchCommands.Add(Sql.Statement(LockTailsSql, Sql.Value(companyId), Column(seal => seal.Job!.Lane, NpgsqlDbType.Text)));
        batch.BatchCommands.Add(Sql.Statement(
            SealSql,
            [
                .. Numbers(), Column(seal => seal.Job!.Lane, NpgsqlDbType.Text), Column(seal => seal.Job!.Type, NpgsqlDbType.Text),
                Column(seal => seal.Job!.Options.ToJson(), NpgsqlDbType.Text), Column(seal => seal.Job!.Origin.ClientId, NpgsqlDbType.Text),
                ParentId(), Column(seal => seal.Job!.Origin.TraceParent, NpgsqlDbType.Text),
                Column(seal => seal.Job!.TotalBytes, NpgsqlDbType.Bigint), Column(seal => seal.Job!.MaxFailed, NpgsqlDbType.Bigint), Kind(),
            ]));
    }

    public (int Index, AcceptResult Result) Read(NpgsqlDataReader row)
    {
        HasWoken |= row.GetBoolean(6);
        AcceptResult result = row.GetString(1) switch
        {
            "sealed" => new AcceptResult.Sealed(row.GetInt64(2), row.GetFieldValue<DateTimeOffset>(3)),
            "was sealed" => new AcceptResult.WasSealed(),
            "key taken" => new AcceptResult.KeyTaken(row.GetGuid(4), row.GetFieldValue<byte[]>(5)),
            "parent taken" => new AcceptResult.ParentTaken(row.GetGuid(7)),
            "claim gone" => new AcceptResult.ClaimGone(),
            "out of order" => new AcceptResult.OutOfOrder(),
            "miscounted" => new AcceptResult.Miscounted(),
            _ => new AcceptResult.Swept(),
        };
        return ((int)row.GetInt64(0) - 1, result);
    }

    private NpgsqlParameter[] Numbers() =>
    [
        Sql.Value(companyId), Column(seal => seal.JobId, NpgsqlDbType.Uuid), Column(seal => seal.Chunk.Index + 1, NpgsqlDbType.Integer),
        Column(seal => seal.Chunk.RecordCount, NpgsqlDbType.Integer), Column(seal => seal.Job!.TotalRecords, NpgsqlDbType.Bigint),
        // Callers who are not told apart share the keys of the client without a name.
        Column(seal => seal.Job!.Origin.ClientId ?? "", NpgsqlDbType.Text), Column(seal => seal.Job!.Origin.IdempotencyKey, NpgsqlDbType.Text),
    ];

    private NpgsqlParameter ParentId() => Column(seal => seal.Job!.Origin.ParentId, NpgsqlDbType.Uuid);

    private NpgsqlParameter Kind() => Column(seal => (short?)seal.Job!.Descent, NpgsqlDbType.Smallint);

    private NpgsqlParameter Column<T>(Func<Acceptance, T> value, NpgsqlDbType type) => Sql.Column(seals, value, type);
}
