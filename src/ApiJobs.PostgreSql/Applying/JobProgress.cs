using ApiJobs.Jobs;
using ApiJobs.PostgreSql.Accepting;
using ApiJobs.PostgreSql.Asking;
using ApiJobs.PostgreSql.Session;
using ApiJobs.Storage;
using Npgsql;
using NpgsqlTypes;

namespace ApiJobs.PostgreSql.Applying;

/// <summary>The one step that brings jobs further and ends them: counts, times, the end and its reason, and the lane's head.</summary>
internal static class JobProgress
{
    // No time goes back, whatever the clocks do. OFFSET keeps the company a column of the join, so that jobs are looked
    // up by key even where statistics know nothing of it.
    private const string AdvanceJobsSql = """
        UPDATE jobs j SET
            created_count = j.created_count + c.created, updated_count = j.updated_count + c.updated,
            unchanged_count = j.unchanged_count + c.unchanged, failed_count = j.failed_count + c.failed,
            message_entries = j.message_entries + c.entries, message_bytes = j.message_bytes + c.bytes,
            updated_at = GREATEST(j.updated_at, now() + $9),
            end_time = CASE WHEN c.ends THEN GREATEST(j.updated_at, j.start_time, now() + $9) END,
            failure_code = c.failure_code, failure = c.failure
        FROM (
            SELECT $1::uuid AS company_id, *
            FROM unnest($2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::int[], $10::bool[], $11::text[], $12::text[])
                AS c(job_id, created, updated, unchanged, failed, entries, bytes, ends, failure_code, failure)
            OFFSET 0) c
        WHERE j.company_id = c.company_id AND j.id = c.job_id AND j.end_time IS NULL
        RETURNING j.id, j.created_count, j.updated_count, j.unchanged_count, j.failed_count, j.message_entries, j.message_bytes,
            j.updated_at, j.start_time, j.end_time
        """;

    // The head goes to the first job that is not ended, so it passes over those that ended otherwise, and never over
    // one that did not end. Where none is visible, the next position sealed is after the last one of these.
    private const string MoveHeadSql = """
        UPDATE lanes SET head_position = COALESCE(
            (SELECT position FROM jobs j
             WHERE j.company_id = $1 AND j.lane = $2 AND j.position >= lanes.head_position AND j.end_time IS NULL
             ORDER BY position LIMIT 1),
            GREATEST(head_position, $3 + 1)),
            ended_records = ended_records + $4, ended_bytes = ended_bytes + $5
        WHERE company_id = $1 AND lane = $2
        """;

    /// <summary>Adds the step for some jobs of one lane. It gives one result: the jobs that had not ended, to be read by <see cref="Read"/>.</summary>
    /// <param name="batch">The batch, in a transaction of the company.</param>
    /// <param name="companyId">The company.</param>
    /// <param name="lane">The lane.</param>
    /// <param name="jobs">How far each job comes.</param>
    /// <param name="sinceBegin">How long ago the transaction began.</param>
    internal static void AddTo(NpgsqlBatch batch, Guid companyId, string lane, JobAdvance[] jobs, TimeSpan sinceBegin)
    {
        batch.BatchCommands.Add(Sql.Statement(
            AdvanceJobsSql, Sql.Value(companyId), Column(job => job.Id, NpgsqlDbType.Uuid),
            Column(job => job.Counts.Created, NpgsqlDbType.Bigint), Column(job => job.Counts.Updated, NpgsqlDbType.Bigint),
            Column(job => job.Counts.Unchanged, NpgsqlDbType.Bigint), Column(job => job.Counts.Failed, NpgsqlDbType.Bigint),
            Column(job => job.MessageEntries, NpgsqlDbType.Bigint), Column(job => job.MessageBytes, NpgsqlDbType.Integer),
            Sql.Value(sinceBegin), Column(job => job.Ends, NpgsqlDbType.Boolean),
            Column(job => job.Failure?.Code, NpgsqlDbType.Text), Column(job => job.Failure?.Message, NpgsqlDbType.Text)));
        if (Array.FindAll(jobs, job => job.BeginsToFail || job.Failure is not null) is { Length: > 0 } failing)
            batch.BatchCommands.Add(Sql.Statement(MarkStatements.MarkFailuresSql, Sql.Value(companyId), Sql.Column(failing, job => job.Id, NpgsqlDbType.Uuid)));
        if (jobs.LastOrDefault(job => job.Ends) is { } lastEnded)
            batch.BatchCommands.Add(Sql.Statement(MoveHeadSql, Sql.Value(companyId), Sql.Value(lane), Sql.Value(lastEnded.Position), Sql.Value(jobs.Sum(EndedRecords)), Sql.Value(jobs.Sum(EndedBytes))));

        static long EndedRecords(JobAdvance job) => job.Ends ? job.CountedAtEnd.Records : 0;
        static long EndedBytes(JobAdvance job) => job.Ends ? job.CountedAtEnd.Bytes : 0;
        NpgsqlParameter Column<T>(Func<JobAdvance, T> value, NpgsqlDbType type) => Sql.Column(jobs, value, type);
    }

    /// <summary>Reads how far a job is since, from a row of the step's result.</summary>
    internal static ApiJob Read(NpgsqlDataReader row, ApiJob before) => before with
    {
        Counts = new(row.GetInt64(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4)),
        MessageEntryCount = row.GetInt64(5),
        MessageBytes = row.GetInt32(6),
        UpdatedAt = row.GetFieldValue<DateTimeOffset>(7),
        StartTime = JobRow.TimeOrNull(row, 8),
        EndTime = JobRow.TimeOrNull(row, 9),
    };
}

/// <summary>How far a job comes in one transaction.</summary>
/// <param name="Id">The job.</param>
/// <param name="Position">Its place in its lane.</param>
/// <param name="CountedAtEnd">What waits no longer if it ends; nothing if it is not known that this transaction ends it, and that is counted otherwise.</param>
internal sealed record JobAdvance(Guid Id, long Position, Backlog CountedAtEnd)
{
    internal OutcomeCounts Counts { get; set; }

    /// <summary>Whether a record of it was known to have failed before.</summary>
    internal bool HadFailed { get; init; }

    internal bool BeginsToFail => !HadFailed && Counts.Failed > 0;

    internal long MessageEntries { get; set; }

    internal int MessageBytes { get; set; }

    /// <summary>Whether the job ends.</summary>
    internal bool Ends { get; set; }

    /// <summary>Why it could not run to its end.</summary>
    internal JobFailure? Failure { get; set; }
}
