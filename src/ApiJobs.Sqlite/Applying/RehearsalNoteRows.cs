using ApiJobs.Sqlite.Connections;
using ApiJobs.Storage;

namespace ApiJobs.Sqlite.Applying;

/// <summary>Rehearsals' notes in the writer's open transaction.</summary>
internal sealed class RehearsalNoteRows(SqliteSession session) : IRehearsalNotes
{
    private const string InsertSql = "INSERT INTO rehearsal_notes (company_id, job_id, kind, key, content) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO";

    private const string AddSql = $"{InsertSql} NOTHING", WriteSql = $"{InsertSql} UPDATE SET content = excluded.content";

    public Task<Dictionary<Guid, ReadOnlyMemory<byte>>> ReadAsync(
        Guid companyId, Guid jobId, RehearsalNoteKind kind, IReadOnlyCollection<Guid> keys, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(keys);
        cancellationToken.ThrowIfCancellationRequested();
        var notes = new Dictionary<Guid, ReadOnlyMemory<byte>>();
        var select = session.Use("SELECT content FROM rehearsal_notes WHERE company_id = ?1 AND job_id = ?2 AND kind = ?3 AND key = ?4");
        select.Bind(1, companyId).Bind(2, jobId).Bind(3, (long)kind);
        foreach (var key in keys)
        {
            using (select.Bind(4, key))
            {
                if (select.Read())
                    notes[key] = select.Bytes(0);
            }
        }

        return Task.FromResult(notes);
    }

    public Task<HashSet<Guid>> AddAsync(
        Guid companyId, Guid jobId, RehearsalNoteKind kind, IReadOnlyList<RehearsalNote> notes, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult(Insert(AddSql, companyId, jobId, kind, notes));
    }

    public Task WriteAsync(
        Guid companyId, Guid jobId, RehearsalNoteKind kind, IReadOnlyList<RehearsalNote> notes, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Insert(WriteSql, companyId, jobId, kind, notes);
        return Task.CompletedTask;
    }

    /// <returns>The keys under which nothing was written.</returns>
    private HashSet<Guid> Insert(string sql, Guid companyId, Guid jobId, RehearsalNoteKind kind, IReadOnlyList<RehearsalNote> notes)
    {
        ArgumentNullException.ThrowIfNull(notes);
        var kept = new HashSet<Guid>();
        if (notes.Count == 0)
            return kept;
        session.Use("INSERT INTO rehearsals (company_id, job_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING").Bind(1, companyId).Bind(2, jobId).Run();
        var insert = session.Use(sql);
        insert.Bind(1, companyId).Bind(2, jobId).Bind(3, (long)kind);
        // In the order of the keys, so that each page of the table is come to once.
        foreach (var note in notes.OrderBy(note => note.Key))
        {
            if (insert.Bind(4, note.Key).Bind(5, note.Content.Span).Run() == 0)
                kept.Add(note.Key);
        }

        return kept;
    }
}
