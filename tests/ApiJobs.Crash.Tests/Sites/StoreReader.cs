using System.Data.Common;
using System.Globalization;
using ApiJobs.Crash.Tests.Load;
using ApiJobs.Records;

namespace ApiJobs.Crash.Tests.Sites;

/// <summary>Reads what a store holds by its own SQL: what the store itself would say of it is what is being tested.</summary>
internal sealed class StoreReader(Site site, DbConnection connection)
{
    /// <summary>Counts the companies' jobs that have not ended.</summary>
    public async Task<long> CountUnfinishedAsync(IEnumerable<Guid> companies, CancellationToken cancellationToken)
    {
        var ids = string.Join(", ", companies.Select(site.UuidLiteral));
        var count = 0L;
        await ReadAsync(
            $"SELECT count(*) FROM jobs WHERE end_time IS NULL AND company_id IN ({ids})", row => count = row.GetInt64(0), cancellationToken);
        return count;
    }

    /// <summary>Reads a company's jobs in the order of their lane, with their outcomes.</summary>
    public async Task<IReadOnlyList<StoredJob>> ReadJobsAsync(Guid company, CancellationToken cancellationToken)
    {
        var jobs = new List<StoredJob>();
        string[] outcomes = ["created", "updated", "unchanged", "failed"];
        await ReadAsync(
            $"""
            SELECT {site.UuidText("id")}, type, total_records, chunk_count, next_chunk, end_time IS NOT NULL, failure,
                {string.Join(", ", outcomes.Select(outcome => $"{outcome}_count"))}, position,
                CASE WHEN parent_id IS NOT NULL THEN {site.UuidText("parent_id")} END
            FROM jobs WHERE company_id = {site.UuidLiteral(company)} ORDER BY position
            """,
            row => jobs.Add(new(
                Guid.Parse(row.GetString(0)), row.GetString(1), row.GetInt64(2), row.GetInt32(3), row.GetInt32(4),
                Convert.ToBoolean(row.GetValue(5), CultureInfo.InvariantCulture), row.IsDBNull(6) ? null : row.GetString(6),
                [row.GetInt64(7), row.GetInt64(8), row.GetInt64(9), row.GetInt64(10)], row.GetInt64(11),
                row.IsDBNull(12) ? null : Guid.Parse(row.GetString(12)))),
            cancellationToken);

        var byId = jobs.ToDictionary(job => job.Id);
        await ReadAsync(
            $"""
            SELECT {site.UuidText("c.job_id")}, c.chunk_index, c.record_count, r.outcomes, CASE WHEN c.chunk_index = 0 THEN c.payload END
            FROM chunks c
            LEFT JOIN chunk_results r ON r.company_id = c.company_id AND r.job_id = c.job_id AND r.chunk_index = c.chunk_index
            WHERE c.company_id = {site.UuidLiteral(company)} ORDER BY c.job_id, c.chunk_index
            """,
            row =>
            {
                // Chunks of uploads that broke off belong to no job; they wait to be swept away.
                if (!byId.TryGetValue(Guid.Parse(row.GetString(0)), out var job))
                    return;
                job.StoredRecords += row.GetInt64(2);
                if (row.GetInt32(1) < job.NextChunk)
                    job.AppliedRecords += row.GetInt64(2);
                if (!row.IsDBNull(3))
                    job.Outcomes.AddRange(row.GetFieldValue<byte[]>(3));
                if (!row.IsDBNull(4))
                    job.RequestNumber = RequestPlan.NumberIn(ChunkPayload.Split(row.GetFieldValue<byte[]>(4)).First());
            },
            cancellationToken);
        return jobs;
    }

    /// <summary>Reads the lines of a company's applied log, in the order they were written.</summary>
    public Task ReadAppliedAsync(Guid company, Action<Guid, long> line, CancellationToken cancellationToken) => ReadAsync(
        $"SELECT job_id, record_index FROM applied_log WHERE company_id = '{company}' ORDER BY line",
        row => line(Guid.Parse(row.GetString(0)), row.GetInt64(1)), cancellationToken);

    /// <summary>Reads the cases of a company: id and notes.</summary>
    public async Task<IReadOnlyList<(Guid Id, string Notes)>> ReadRowsAsync(Guid company, CancellationToken cancellationToken)
    {
        var rows = new List<(Guid, string)>();
        await ReadAsync(
            $"SELECT {site.UuidText("id")}, notes FROM customer_case WHERE company_id = {site.UuidLiteral(company)}",
            row => rows.Add((Guid.Parse(row.GetString(0)), row.GetString(1))), cancellationToken);
        return rows;
    }

    private async Task ReadAsync(string sql, Action<DbDataReader> read, CancellationToken cancellationToken)
    {
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // Every part of it is from here, or a UUID.
        command.CommandText = sql;
#pragma warning restore CA2100
        command.CommandTimeout = 300;
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            read(reader);
    }
}

/// <summary>A job as the database has it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Type">Its type.</param>
/// <param name="TotalRecords">Its number of records, as accepted.</param>
/// <param name="ChunkCount">Its number of chunks.</param>
/// <param name="NextChunk">Its cursor.</param>
/// <param name="HasEnded">Whether it has ended.</param>
/// <param name="Failure">Why it failed; null if it did not.</param>
/// <param name="Counts">How many records were created, updated, unchanged, failed.</param>
/// <param name="Position">Its place in its lane, from 1.</param>
/// <param name="ParentId">The job whose records it does again; null if it was sent.</param>
internal sealed record StoredJob(
    Guid Id, string Type, long TotalRecords, int ChunkCount, int NextChunk, bool HasEnded, string? Failure, IReadOnlyList<long> Counts, long Position,
    Guid? ParentId)
{
    /// <summary>How many records its chunks hold.</summary>
    public long StoredRecords { get; set; }

    /// <summary>How many records the chunks before its cursor hold.</summary>
    public long AppliedRecords { get; set; }

    /// <summary>One byte a record: <see cref="RecordOutcome"/>.</summary>
    public List<byte> Outcomes { get; } = [];

    /// <summary>The request that its records say they came with.</summary>
    public int RequestNumber { get; set; } = -1;
}
