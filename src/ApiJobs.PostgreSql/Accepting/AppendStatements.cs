using ApiJobs.PostgreSql.Session;
using Npgsql;
using NpgsqlTypes;

namespace ApiJobs.PostgreSql.Accepting;

/// <summary>Appends chunks to uploads of one company, each upload once.</summary>
internal sealed class AppendStatements(Guid companyId, Acceptance[] appends) : IAcceptStatements
{
    // Not for a job that is sealed: what was left as its upload would be swept, and its chunks with it.
    private const string BeginUploadsSql = """
        INSERT INTO uploads (company_id, job_id, touched_at)
        SELECT $1, u.job_id, now() FROM unnest($2::uuid[]) AS u(job_id)
        WHERE (SELECT true FROM jobs j WHERE j.company_id = $1 AND j.id = u.job_id LIMIT 1) IS NULL
        ORDER BY u.job_id
        ON CONFLICT DO NOTHING
        """;

    // Held first, so that what is said of an upload is of one moment, whoever else appends to it or sweeps it. Payloads are
    // subscripted, not unnested in FROM: a function scan would copy them to a temporary file.
    private const string AppendSql = """
        WITH input AS (
            SELECT * FROM unnest($2::uuid[], $3::int[], $4::bigint[], $5::int[]) WITH ORDINALITY
                AS i(job_id, chunk_index, first_record, record_count, ordinal)),
        held AS (
            SELECT job_id, next_chunk FROM uploads
            WHERE company_id = $1 AND job_id = ANY($2) AND NOT abandoned
            ORDER BY job_id
            FOR UPDATE),
        stored AS (
            INSERT INTO chunks (company_id, job_id, chunk_index, first_record, record_count, payload)
            SELECT $1, i.job_id, i.chunk_index, i.first_record, i.record_count, ($6::bytea[])[i.ordinal]
            FROM input i JOIN held h ON h.job_id = i.job_id AND h.next_chunk = i.chunk_index
            RETURNING job_id, record_count),
        advanced AS (
            UPDATE uploads u SET
                next_chunk = u.next_chunk + 1, record_count = u.record_count + s.record_count, touched_at = GREATEST(u.touched_at, now())
            FROM stored s
            WHERE u.company_id = $1 AND u.job_id = s.job_id)
        SELECT i.ordinal, h.next_chunk FROM input i JOIN held h USING (job_id)
        """;

    public IReadOnlyList<Acceptance> Acceptances => appends;

    public int ResultsBefore => 0;

    public void AddTo(NpgsqlBatch batch)
    {
        var begun = appends.Where(append => append.Chunk.Index == 0).Select(append => append.JobId).ToArray();
        if (begun.Length > 0)
            batch.BatchCommands.Add(Sql.Statement(BeginUploadsSql, Sql.Value(companyId), Sql.Array(begun, NpgsqlDbType.Uuid)));
        batch.BatchCommands.Add(Sql.Statement(
            AppendSql, Sql.Value(companyId), Sql.Column(appends, append => append.JobId, NpgsqlDbType.Uuid),
            Sql.Column(appends, append => append.Chunk.Index, NpgsqlDbType.Integer),
            Sql.Column(appends, append => append.Chunk.FirstRecord, NpgsqlDbType.Bigint),
            Sql.Column(appends, append => append.Chunk.RecordCount, NpgsqlDbType.Integer),
            Sql.Column(appends, append => append.Chunk.Payload, NpgsqlDbType.Bytea)));
    }

    public (int Index, AcceptResult Result) Read(NpgsqlDataReader row)
    {
        var index = (int)row.GetInt64(0) - 1;
        // An append whose answer was lost may come again: then the upload is one further already.
        var isStored = row.GetInt32(1) - appends[index].Chunk.Index is 0 or 1;
        return (index, isStored ? new AcceptResult.Appended() : new AcceptResult.OutOfOrder());
    }
}

/// <summary>Statements of one company, of which the last gives the answers to some acceptances; those it leaves out are swept.</summary>
internal interface IAcceptStatements
{
    IReadOnlyList<Acceptance> Acceptances { get; }

    /// <summary>How many results come before the answers.</summary>
    int ResultsBefore { get; }

    void AddTo(NpgsqlBatch batch);

    /// <summary>Reads the answer to an acceptance.</summary>
    /// <returns>Which one, and the answer.</returns>
    (int Index, AcceptResult Result) Read(NpgsqlDataReader row);
}
