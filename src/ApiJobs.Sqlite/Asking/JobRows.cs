using System.Text;
using ApiJobs.Jobs;
using ApiJobs.Sqlite.Connections;
using ApiJobs.Storage;

namespace ApiJobs.Sqlite.Asking;

/// <summary>Jobs as they are stored.</summary>
internal static class JobRows
{
    /// <summary>The columns that <see cref="Read"/> expects, in order.</summary>
    internal const string Columns = """
        id, type, lane, position, options, client_id, parent_id, idempotency_key, trace_parent, total_records, chunk_count, created_at, total_bytes, max_failed,
        next_chunk, created_count, updated_count, unchanged_count, failed_count, message_entries, message_bytes,
        updated_at, start_time, end_time, failure_code, failure
        """;

    private const int FirstProgressColumn = 14;

    /// <summary>The columns that change while a job runs; the last but two of <see cref="Columns"/>.</summary>
    internal const string ProgressColumns = """
        next_chunk, created_count, updated_count, unchanged_count, failed_count, message_entries, message_bytes,
        updated_at, start_time, end_time
        """;

    internal static ApiJob? Find(SqliteSession session, Guid companyId, Guid jobId)
    {
        using var find = session.Use($"SELECT {Columns} FROM jobs WHERE company_id = ?1 AND id = ?2");
        return find.Bind(1, companyId).Bind(2, jobId).Read() ? Read(find, companyId) : null;
    }

    /// <summary>Those of some jobs that have got further than they were seen, or have ended.</summary>
    internal static IReadOnlyList<ApiJob> Changed(SqliteSession session, IReadOnlyCollection<SeenJob> seen)
    {
        var changed = new List<ApiJob>();
        foreach (var (companyId, jobId, nextChunk) in seen)
        {
            using var find = session.Use($"SELECT {Columns} FROM jobs WHERE company_id = ?1 AND id = ?2 AND (next_chunk > ?3 OR end_time IS NOT NULL)");
            if (find.Bind(1, companyId).Bind(2, jobId).Bind(3, nextChunk).Read())
                changed.Add(Read(find, companyId));
        }

        return changed;
    }

    internal static string Message(SqliteSession session, Guid companyId, Guid jobId, int beforeChunk)
    {
        using var select = session.Use("""
            SELECT group_concat(text, '' ORDER BY chunk_index) FROM job_messages
            WHERE company_id = ?1 AND job_id = ?2 AND chunk_index < ?3
            """);
        return select.Bind(1, companyId).Bind(2, jobId).Bind(3, beforeChunk).Read() ? select.TextOrNull(0) ?? "" : "";
    }

    /// <summary>The beginning of a job's message: of all entries, or of more bytes than a list shows.</summary>
    internal static string MessageStart(SqliteSession session, ApiJob job)
    {
        using var select = session.Use($"""
            SELECT substr(text, 1, {ListedJob.MessageBytes + 1}) FROM job_messages
            WHERE company_id = ?1 AND job_id = ?2 AND chunk_index < ?3
            ORDER BY chunk_index LIMIT {ListedJob.MessageChunks}
            """);
        select.Bind(1, job.CompanyId).Bind(2, job.Id).Bind(3, job.NextChunk);
        var start = new StringBuilder();
        while (start.Length <= ListedJob.MessageBytes && select.Read())
            start.Append(select.Text(0));
        return start.ToString();
    }

    internal static void Insert(SqliteSession session, ApiJob job)
    {
        using var insert = session.Use("""
            INSERT INTO jobs (
                company_id, id, type, lane, position, options, client_id, parent_id, idempotency_key, trace_parent,
                total_records, chunk_count, created_at, updated_at, total_bytes, max_failed)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?13, ?14, ?15)
            """);
        insert.Bind(1, job.CompanyId).Bind(2, job.Id).Bind(3, job.Type).Bind(4, job.Lane).Bind(5, job.Position)
            .BindOrNull(6, job.Options.ToJson()).BindOrNull(7, job.Origin.ClientId);
        _ = job.Origin.ParentId is { } parentId ? insert.Bind(8, parentId) : insert.BindNull(8);
        insert.BindOrNull(9, job.Origin.IdempotencyKey).BindOrNull(10, job.Origin.TraceParent)
            .Bind(11, job.TotalRecords).Bind(12, job.ChunkCount).Bind(13, StoredTime.From(job.CreatedAt)).Bind(14, job.TotalBytes);
        (job.MaxFailed is { } maxFailed ? insert.Bind(15, maxFailed) : insert.BindNull(15)).Run();
    }

    /// <summary>Reads a job of <see cref="Columns"/>.</summary>
    internal static ApiJob Read(SqliteStatement row, Guid companyId) => ReadProgress(
        new()
        {
            Id = row.Guid(0),
            CompanyId = companyId,
            Type = row.Text(1),
            Lane = row.Text(2),
            Position = row.Int64(3),
            Options = JobOptions.FromJson(row.TextOrNull(4)),
            Origin = ReadOrigin(row),
            TotalRecords = row.Int64(9),
            ChunkCount = row.Int32(10),
            CreatedAt = StoredTime.To(row.Int64(11)),
            UpdatedAt = default,
            TotalBytes = row.Int64(12),
            MaxFailed = row.IsNull(13) ? null : row.Int64(13),
            Failure = row.IsNull(24) ? null : new(row.Text(24), row.Text(25)),
        },
        row, FirstProgressColumn);

    /// <summary>Reads how far a job is, of <see cref="ProgressColumns"/>.</summary>
    internal static ApiJob ReadProgress(ApiJob job, SqliteStatement row, int firstColumn = 0) => job with
    {
        NextChunk = row.Int32(firstColumn),
        Counts = new(row.Int64(firstColumn + 1), row.Int64(firstColumn + 2), row.Int64(firstColumn + 3), row.Int64(firstColumn + 4)),
        MessageEntryCount = row.Int64(firstColumn + 5),
        MessageBytes = row.Int32(firstColumn + 6),
        UpdatedAt = StoredTime.To(row.Int64(firstColumn + 7)),
        StartTime = row.IsNull(firstColumn + 8) ? null : StoredTime.To(row.Int64(firstColumn + 8)),
        EndTime = row.IsNull(firstColumn + 9) ? null : StoredTime.To(row.Int64(firstColumn + 9)),
    };

    // Most jobs of a site that does not tell its callers apart have none: those share one.
    private static JobOrigin ReadOrigin(SqliteStatement row) =>
        row.IsNull(5) && row.IsNull(6) && row.IsNull(7) && row.IsNull(8)
            ? JobOrigin.Unknown
            : new()
            {
                ClientId = row.TextOrNull(5),
                ParentId = row.IsNull(6) ? null : row.Guid(6),
                IdempotencyKey = row.TextOrNull(7),
                TraceParent = row.TextOrNull(8),
            };
}
