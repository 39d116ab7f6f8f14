using ApiJobs.PostgreSql.Session;
using ApiJobs.Storage;
using Npgsql;
using NpgsqlTypes;

namespace ApiJobs.PostgreSql.Applying;

/// <summary>Rehearsals' notes in the transaction that applies chunks.</summary>
internal sealed class RehearsalNotes(NpgsqlConnection connection, NpgsqlTransaction transaction) : IRehearsalNotes
{
    // A look-up for each key, whatever the statistics say: they know nothing yet of a rehearsal that has just begun.
    private const string ReadSql = """
        SELECT t.key, t.content FROM unnest($4::uuid[]) AS n(key)
        CROSS JOIN LATERAL (
            SELECT key, content FROM rehearsal_notes WHERE company_id = $1 AND job_id = $2 AND kind = $3 AND key = n.key LIMIT 1) t
        """;

    private const string BeginSql = "INSERT INTO rehearsals (company_id, job_id) SELECT $1, $2 ON CONFLICT DO NOTHING";

    private const string InsertSql =
        "INSERT INTO rehearsal_notes (company_id, job_id, kind, key, content) SELECT $1, $2, $3, * FROM unnest($4::uuid[], $5::bytea[]) ON CONFLICT";

    private const string AddSql = $"{InsertSql} DO NOTHING RETURNING key";

    private const string WriteSql = $"{InsertSql} (company_id, job_id, kind, key) DO UPDATE SET content = EXCLUDED.content";

    public async Task<Dictionary<Guid, ReadOnlyMemory<byte>>> ReadAsync(
        Guid companyId, Guid jobId, RehearsalNoteKind kind, IReadOnlyCollection<Guid> keys, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(keys);
        var notes = new Dictionary<Guid, ReadOnlyMemory<byte>>();
        if (keys.Count == 0)
            return notes;
        await using var batch = new NpgsqlBatch(connection, transaction);
        batch.BatchCommands.Add(Sql.Statement(
            ReadSql, Sql.Value(companyId), Sql.Value(jobId), Kind(kind), Sql.Array(keys.ToArray(), NpgsqlDbType.Uuid)));
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            notes[reader.GetGuid(0)] = reader.GetFieldValue<byte[]>(1);
        return notes;
    }

    public async Task<HashSet<Guid>> AddAsync(
        Guid companyId, Guid jobId, RehearsalNoteKind kind, IReadOnlyList<RehearsalNote> notes, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(notes);
        var kept = notes.Select(note => note.Key).ToHashSet();
        if (kept.Count == 0)
            return kept;
        await using var batch = Insert(AddSql, companyId, jobId, kind, notes);
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        // Only this statement of the two gives rows.
        while (await reader.ReadAsync(cancellationToken))
            kept.Remove(reader.GetGuid(0));
        return kept;
    }

    public async Task WriteAsync(
        Guid companyId, Guid jobId, RehearsalNoteKind kind, IReadOnlyList<RehearsalNote> notes, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(notes);
        if (notes.Count == 0)
            return;
        await using var batch = Insert(WriteSql, companyId, jobId, kind, notes);
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    private NpgsqlBatch Insert(string sql, Guid companyId, Guid jobId, RehearsalNoteKind kind, IReadOnlyList<RehearsalNote> notes)
    {
        // In the order of the keys, so that each page of the index is come to once.
        var sorted = notes.OrderBy(note => note.Key).ToArray();
        return new(connection, transaction)
        {
            BatchCommands =
            {
                Sql.Statement(BeginSql, Sql.Value(companyId), Sql.Value(jobId)),
                Sql.Statement(
                    sql, Sql.Value(companyId), Sql.Value(jobId), Kind(kind), Sql.Column(sorted, note => note.Key, NpgsqlDbType.Uuid),
                    Sql.Column(sorted, note => note.Content, NpgsqlDbType.Bytea)),
            },
        };
    }

    private static NpgsqlParameter<short> Kind(RehearsalNoteKind kind) => new() { TypedValue = (short)kind, NpgsqlDbType = NpgsqlDbType.Smallint };
}
