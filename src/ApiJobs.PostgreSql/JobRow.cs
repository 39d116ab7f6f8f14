using ApiJobs.Jobs;
using Npgsql;

namespace ApiJobs.PostgreSql;

/// <summary>The columns of a job, and how they are read.</summary>
internal static class JobRow
{
    /// <summary>The columns that <see cref="Read"/> expects, in order.</summary>
    internal const string Columns = """
        id, company_id, type, lane, position, options, total_records, chunk_count, next_chunk,
        created_count, updated_count, unchanged_count, failed_count,
        created_at, updated_at, start_time, end_time, failure, message_entries
        """;

    internal const int ColumnCount = 19;

    /// <summary>Reads a job.</summary>
    /// <param name="row">A row whose first columns are <see cref="Columns"/>, and then the message's text or null.</param>
    internal static ApiJob Read(NpgsqlDataReader row) => new()
    {
        Id = row.GetGuid(0),
        CompanyId = row.GetGuid(1),
        Type = row.GetString(2),
        Lane = row.GetString(3),
        Position = row.GetInt64(4),
        Options = JobOptions.FromJson(row.IsDBNull(5) ? null : row.GetString(5)),
        TotalRecords = row.GetInt64(6),
        ChunkCount = row.GetInt32(7),
        NextChunk = row.GetInt32(8),
        Counts = new(row.GetInt64(9), row.GetInt64(10), row.GetInt64(11), row.GetInt64(12)),
        CreatedAt = row.GetFieldValue<DateTimeOffset>(13),
        UpdatedAt = row.GetFieldValue<DateTimeOffset>(14),
        StartTime = row.IsDBNull(15) ? null : row.GetFieldValue<DateTimeOffset>(15),
        EndTime = row.IsDBNull(16) ? null : row.GetFieldValue<DateTimeOffset>(16),
        Failure = row.IsDBNull(17) ? null : row.GetString(17),
        Message = row.IsDBNull(ColumnCount) ? JobMessage.Empty : new(row.GetString(ColumnCount), row.GetInt64(18)),
    };
}
