using ApiJobs.Jobs;
using ApiJobs.Sqlite.Session;

namespace ApiJobs.Sqlite.Asking;

/// <summary>The rows of sealed jobs.</summary>
internal static class StoredJobs
{
    internal const string Columns = """
        id, type, lane, position, options, client_id, parent_id, idempotency_key, trace_parent, total_records, chunk_count, next_chunk,
        created_count, updated_count, unchanged_count, failed_count, message_entries, message_bytes,
        created_at, updated_at, start_time, end_time, failure_code, failure
        """;

    internal static ApiJob? Find(PreparedConnection connection, Guid companyId, Guid jobId)
    {
        using var find = connection.Use($"SELECT {Columns} FROM jobs WHERE company_id = ?1 AND id = ?2");
        return find.Bind(1, companyId).Bind(2, jobId).Read() ? Read(find, companyId) : null;
    }

    /// <summary>Stores a job that was just sealed; nothing has happened to it.</summary>
    internal static void Insert(PreparedConnection connection, ApiJob job)
    {
        using var insert = connection.Use("""
            INSERT INTO jobs (
                company_id, id, type, lane, position, options, client_id, parent_id, idempotency_key, trace_parent,
                total_records, chunk_count, created_at, updated_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?13)
            """);
        insert.Bind(1, job.CompanyId).Bind(2, job.Id).Bind(3, job.Type).Bind(4, job.Lane).Bind(5, job.Position)
            .BindOrNull(6, job.Options.ToJson())
            .BindOrNull(7, job.Origin.ClientId).BindOrNull(8, job.Origin.ParentId).BindOrNull(9, job.Origin.IdempotencyKey)
            .BindOrNull(10, job.Origin.TraceParent)
            .Bind(11, job.TotalRecords).Bind(12, job.ChunkCount).Bind(13, StoredTime.From(job.CreatedAt)).Run();
    }

    /// <summary>Reads the row of <see cref="Columns"/> that a statement stands on.</summary>
    internal static ApiJob Read(SqliteStatement row, Guid companyId) => new()
    {
        Id = row.Guid(0),
        CompanyId = companyId,
        Type = row.Text(1),
        Lane = row.Text(2),
        Position = row.Int64(3),
        Options = JobOptions.FromJson(row.TextOrNull(4)),
        Origin = ReadOrigin(row, 5),
        TotalRecords = row.Int64(9),
        ChunkCount = row.Int32(10),
        NextChunk = row.Int32(11),
        Counts = new OutcomeCounts(row.Int64(12), row.Int64(13), row.Int64(14), row.Int64(15)),
        MessageEntryCount = row.Int64(16),
        MessageBytes = row.Int32(17),
        CreatedAt = StoredTime.To(row.Int64(18)),
        UpdatedAt = StoredTime.To(row.Int64(19)),
        StartTime = row.IsNull(20) ? null : StoredTime.To(row.Int64(20)),
        EndTime = row.IsNull(21) ? null : StoredTime.To(row.Int64(21)),
        Failure = row.TextOrNull(22) is { } code ? new(code, row.Text(23)) : null,
    };

    private static JobOrigin ReadOrigin(SqliteStatement row, int column)
    {
        var origin = new JobOrigin
        {
            ClientId = row.TextOrNull(column),
            ParentId = row.IsNull(column + 1) ? null : row.Guid(column + 1),
            IdempotencyKey = row.TextOrNull(column + 2),
            TraceParent = row.TextOrNull(column + 3),
        };
        return origin == JobOrigin.Unknown ? JobOrigin.Unknown : origin;
    }
}
