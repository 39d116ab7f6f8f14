using ApiJobs.PostgreSql.Session;
using Npgsql;
using NpgsqlTypes;

namespace ApiJobs.PostgreSql.Accepting;

/// <summary>Seals jobs of one company, each once, that have one chunk, no idempotency key and no claim on a parent: most jobs there are.</summary>
/// <remarks>What <see cref="SealStatements"/> does, without what such a job cannot need: the work of a small job is a large part of its cost.</remarks>
internal sealed class SealPlainStatements(Guid companyId, Acceptance[] seals, bool areLanesKnown) : IAcceptStatements
{
    private const string StoreChunksSql = """
        INSERT INTO chunks (company_id, job_id, chunk_index, first_record, record_count, payload)
        SELECT $1, i.job_id, 0, 0, i.record_count, ($4::bytea[])[i.ordinal]
        FROM unnest($2::uuid[], $3::int[]) WITH ORDINALITY AS i(job_id, record_count, ordinal)
        WHERE (SELECT true FROM jobs j WHERE j.company_id = $1 AND j.id = i.job_id LIMIT 1) IS NULL
        ON CONFLICT DO NOTHING
        """;

    private const string MakeLanesSql = """
        WITH made AS (
            INSERT INTO lane_tails (company_id, lane)
            SELECT DISTINCT $1::uuid, i.lane FROM unnest($2::text[]) AS i(lane)
            WHERE (SELECT true FROM lane_tails t WHERE t.company_id = $1 AND t.lane = i.lane LIMIT 1) IS NULL
            ORDER BY 2
            ON CONFLICT DO NOTHING
            RETURNING lane)
        INSERT INTO lanes (company_id, lane) SELECT $1, lane FROM made
        """;

    private const string SealPlainSql = $"""
        WITH sealed AS (
            SELECT i.*, t.next_position - 1 + row_number() OVER (PARTITION BY i.lane ORDER BY i.ordinal) AS position,
                GREATEST(now(), t.last_created_at) AS created_at
            FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::uuid[], $9::text[], $10::bigint[], $11::bigint[]) WITH ORDINALITY
                AS i(job_id, lane, type, options, total_records, client_id, parent_id, trace_parent, total_bytes, max_failed, ordinal)
            JOIN lane_tails t ON t.company_id = $1 AND t.lane = i.lane
            WHERE (SELECT true FROM jobs j WHERE j.company_id = $1 AND j.id = i.job_id LIMIT 1) IS NULL),
        made AS (
            INSERT INTO jobs (
                company_id, id, type, lane, position, options, client_id, parent_id, trace_parent,
                total_records, chunk_count, created_at, updated_at, total_bytes, max_failed)
            SELECT $1, job_id, type, lane, position, options, client_id, parent_id, trace_parent, total_records, 1, created_at, created_at,
                total_bytes, max_failed
            FROM sealed),
        {MarkStatements.MarkSealed},
        {SealStatements.MoveLanes}
        SELECT ordinal, position, created_at, EXISTS (SELECT FROM woken) FROM sealed
        """;

    public IReadOnlyList<Acceptance> Acceptances => seals;

    // Locking gives a result too.
    public int ResultsBefore => 1;

    public bool HasWoken { get; private set; }

    // What is not sealed here was sealed before.
    public AcceptResult Otherwise { get; } = new AcceptResult.WasSealed();

    /// <summary>Whether a job can be sealed so.</summary>
    internal static bool CanSeal(Acceptance seal) => seal.Chunk.Index == 0 && seal.Job is { Origin.IdempotencyKey: null, Descent: null };

    public void AddTo(NpgsqlBatch batch)
    {
        batch.BatchCommands.Add(Sql.Statement(
            StoreChunksSql, Sql.Value(companyId), Column(seal => seal.JobId, NpgsqlDbType.Uuid),
            Column(seal => seal.Chunk.RecordCount, NpgsqlDbType.Integer), Column(seal => seal.Chunk.Payload, NpgsqlDbType.Bytea)));
        if (!areLanesKnown)
            batch.BatchCommands.Add(Sql.Statement(MakeLanesSql, Sql.Value(companyId), Column(seal => seal.Job!.Lane, NpgsqlDbType.Text)));
        batch.BatchCommands.Add(Sql.Statement(SealStatements.LockTailsSql, Sql.Value(companyId), Column(seal => seal.Job!.Lane, NpgsqlDbType.Text)));
        batch.BatchCommands.Add(Sql.Statement(
            SealPlainSql, Sql.Value(companyId), Column(seal => seal.JobId, NpgsqlDbType.Uuid), Column(seal => seal.Job!.Lane, NpgsqlDbType.Text),
            Column(seal => seal.Job!.Type, NpgsqlDbType.Text), Column(seal => seal.Job!.Options.ToJson(), NpgsqlDbType.Text),
            Column(seal => seal.Job!.TotalRecords, NpgsqlDbType.Bigint), Column(seal => seal.Job!.Origin.ClientId, NpgsqlDbType.Text),
            Column(seal => seal.Job!.Origin.ParentId, NpgsqlDbType.Uuid), Column(seal => seal.Job!.Origin.TraceParent, NpgsqlDbType.Text),
            Column(seal => seal.Job!.TotalBytes, NpgsqlDbType.Bigint), Column(seal => seal.Job!.MaxFailed, NpgsqlDbType.Bigint)));
    }

    public (int Index, AcceptResult Result) Read(NpgsqlDataReader row)
    {
        HasWoken |= row.GetBoolean(3);
        return ((int)row.GetInt64(0) - 1, new AcceptResult.Sealed(row.GetInt64(1), row.GetFieldValue<DateTimeOffset>(2)));
    }

    private NpgsqlParameter Column<T>(Func<Acceptance, T> value, NpgsqlDbType type) => Sql.Column(seals, value, type);
}
