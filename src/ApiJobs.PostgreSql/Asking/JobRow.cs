using ApiJobs.Jobs;
using Npgsql;

namespace ApiJobs.PostgreSql.Asking;

/// <summary>The columns of a job, and how they are read.</summary>
internal static class JobRow
{
    /// <summary>The columns that <see cref="Read"/> expects, in order.</summary>
    internal const string Columns = """
        id, company_id, type, lane, position, options, client_id, parent_id, idempotency_key, trace_parent,
        total_records, chunk_count, next_chunk, created_count, updated_count, unchanged_count, failed_count,
        message_entries, message_bytes, created_at, updated_at, start_time, end_time, failure_code, failure,
        total_bytes, max_failed
        """;

    internal const int ColumnCount = 27;

    /// <summary>Reads a job from a row whose first columns are <see cref="Columns"/>.</summary>
    internal static ApiJob Read(NpgsqlDataReader row) => new()
    {
        Id = row.GetGuid(0),
        CompanyId = row.GetGuid(1),
        Type = row.GetString(2),
        Lane = row.GetString(3),
        Position = row.GetInt64(4),
        Options = JobOptions.FromJson(TextOrNull(row, 5)),
        Origin = Origin(row),
        TotalRecords = row.GetInt64(10),
        ChunkCount = row.GetInt32(11),
        NextChunk = row.GetInt32(12),
        Counts = new(row.GetInt64(13), row.GetInt64(14), row.GetInt64(15), row.GetInt64(16)),
        MessageEntryCount = row.GetInt64(17),
        MessageBytes = row.GetInt32(18),
        CreatedAt = row.GetFieldValue<DateTimeOffset>(19),
        UpdatedAt = row.GetFieldValue<DateTimeOffset>(20),
        StartTime = TimeOrNull(row, 21),
        EndTime = TimeOrNull(row, 22),
        Failure = row.IsDBNull(23) ? null : new(row.GetString(23), row.GetString(24)),
        TotalBytes = row.GetInt64(25),
        MaxFailed = row.IsDBNull(26) ? null : row.GetInt64(26),
    };

    internal static DateTimeOffset? TimeOrNull(NpgsqlDataReader row, int ordinal) =>
        row.IsDBNull(ordinal) ? null : row.GetFieldValue<DateTimeOffset>(ordinal);

    private static JobOrigin Origin(NpgsqlDataReader row) =>
        row.IsDBNull(6) && row.IsDBNull(7) && row.IsDBNull(8) && row.IsDBNull(9)
            ? JobOrigin.Unknown
            : new()
            {
                ClientId = TextOrNull(row, 6),
                ParentId = row.IsDBNull(7) ? null : row.GetGuid(7),
                IdempotencyKey = TextOrNull(row, 8),
                TraceParent = TextOrNull(row, 9),
            };

    private static string? TextOrNull(NpgsqlDataReader row, int ordinal) => row.IsDBNull(ordinal) ? null : row.GetString(ordinal);
}
