using ApiJobs.Jobs;
using ApiJobs.PostgreSql.Session;
using ApiJobs.Storage;
using Npgsql;
using NpgsqlTypes;

namespace ApiJobs.PostgreSql.Asking;

/// <summary>Lists jobs, newest first, and says where they stand in their lanes.</summary>
internal sealed class JobListing(StoreSession session)
{
    private static readonly DateTimeOffset Never = new(1, 1, 2, 0, 0, 0, TimeSpan.Zero), Always = new(9999, 12, 31, 0, 0, 0, TimeSpan.Zero);

    private static readonly Guid FirstId = Guid.Empty, LastId = Guid.AllBitsSet;

    // From mark to mark in the order of the key, each with its job looked up; it ends as soon as there are enough. The last mark
    // that may be looked at comes out also without its job, to say where the next page goes on.
    internal static readonly string ListSql = $"""
        SELECT j.*, m.marked_at, m.job_id, m.number
        FROM (
            SELECT created_at AS marked_at, job_id, row_number() OVER (ORDER BY created_at DESC, job_id DESC) AS number
            FROM job_marks
            WHERE company_id = $1 AND mark = $2 AND created_at >= $3 AND (created_at, job_id) < ($4, $5)
            ORDER BY created_at DESC, job_id DESC
            LIMIT {JobPage.MaxLookedAt}) m
        LEFT JOIN LATERAL (
            SELECT {JobRow.Columns} FROM jobs
            WHERE company_id = $1 AND id = m.job_id
              AND ($7::text IS NULL OR type = $7)
              AND ($8::text IS NULL OR client_id = $8)
              AND ($9::uuid IS NULL OR parent_id = $9)
              AND ($10::bool IS NULL OR (failed_count > 0) = $10)
              AND ($11::bool IS NULL OR COALESCE(position('"dry_run":true' IN options) > 0, false) = $11)
              AND ($12::int IS NULL OR $12 = CASE
                WHEN end_time IS NULL THEN CASE WHEN start_time IS NULL THEN {(int)ApiJobStatus.Pending} ELSE {(int)ApiJobStatus.Processing} END
                WHEN failure IS NULL THEN {(int)ApiJobStatus.Completed}
                ELSE {(int)ApiJobStatus.Failed} END)
            LIMIT 1) j ON true
        WHERE j.id IS NOT NULL OR m.number = {JobPage.MaxLookedAt}
        ORDER BY m.marked_at DESC, m.job_id DESC
        LIMIT $6
        """;

    private const string FindUnfinishedSql = """
        SELECT min(j.created_at), max(j.created_at)
        FROM lanes l CROSS JOIN LATERAL (
            SELECT created_at FROM jobs
            WHERE company_id = $1 AND lane = l.lane AND position >= l.head_position AND end_time IS NULL
            ORDER BY position LIMIT 1) j
        WHERE l.company_id = $1 AND l.has_work
        """;

    private static readonly string ReadMessagesSql = $"""
        SELECT i.job_id, m.text
        FROM unnest($2::uuid[], $3::int[]) AS i(job_id, next_chunk)
        CROSS JOIN LATERAL (
            SELECT chunk_index, substr(text, 1, {ListedJob.MessageBytes + 1}) AS text FROM job_messages
            WHERE company_id = $1 AND job_id = i.job_id AND chunk_index < i.next_chunk
            ORDER BY chunk_index LIMIT {ListedJob.MessageChunks}) m
        ORDER BY i.job_id, m.chunk_index
        """;

    private static readonly string ReadPlacesSql = $"""
        SELECT l.lane, l.head_position, ARRAY(
            SELECT position FROM jobs
            WHERE company_id = $1 AND lane = l.lane AND position >= l.head_position AND position < l.head_position + {LanePlaces.MaxCounted}
              AND end_time IS NULL
            ORDER BY position)
        FROM lanes l WHERE l.company_id = $1 AND l.lane = ANY($2)
        """;

    internal async Task<JobPage> ListAsync(Guid companyId, JobQuery query, CancellationToken cancellationToken)
    {
        var oldest = query.CreatedAfter is { } after && after > Never ? after : Never;
        List<JobPlace> ends = [new(Always, LastId)];
        if (query.After is { } place)
            ends.Add(place);
        if (query.CreatedBefore is { } before)
            ends.Add(new(before < Never ? Never : before, FirstId));
        if (query.Status is ApiJobStatus.Pending or ApiJobStatus.Processing)
        {
            if (await FindUnfinishedAsync(companyId, cancellationToken) is not var (first, last))
                return new([], Next: null);
            oldest = oldest > first ? oldest : first;
            // Only the first job of a lane can have begun.
            if (query.Status == ApiJobStatus.Processing)
                ends.Add(new(last, LastId));
        }

        var page = await WalkAsync(companyId, query, oldest, ends.MinBy(end => (Sql.Microseconds(end.CreatedAt), end.Id)), cancellationToken);
        var messages = await ReadMessagesAsync(companyId, [.. page.Jobs.Where(job => job.MessageEntryCount > 0)], cancellationToken);
        return new([.. page.Jobs.Select(job => new ListedJob(job, messages.GetValueOrDefault(job.Id, "")))], page.Next);
    }

    /// <summary>Says how many unfinished jobs come before each of some jobs.</summary>
    internal async Task<IReadOnlyList<long>> CountBeforeAsync(Guid companyId, IReadOnlyList<ApiJob> jobs, CancellationToken cancellationToken)
    {
        var lanes = jobs.Select(job => job.Lane).Distinct().ToArray();
        var places = await session.ReadAsync(
            companyId, TransactionKind.Looking, Sql.Statement(ReadPlacesSql, Sql.Value(companyId), Sql.Array(lanes, NpgsqlDbType.Text)),
            row => (Lane: row.GetString(0), Places: new LanePlaces(row.GetInt64(1), row.GetFieldValue<long[]>(2))), cancellationToken);
        var byLane = places.ToDictionary(place => place.Lane, place => place.Places);
        return [.. jobs.Select(job => byLane.TryGetValue(job.Lane, out var lane) ? lane.CountBefore(job) : 0)];
    }

    private async Task<(IReadOnlyList<ApiJob> Jobs, JobPlace? Next)> WalkAsync(
        Guid companyId, JobQuery query, DateTimeOffset oldest, JobPlace end, CancellationToken cancellationToken)
    {
        var rows = await session.ReadAsync(
            companyId, TransactionKind.Looking,
            Sql.Statement(
                ListSql, Sql.Value(companyId), Sql.Value(JobMarks.For(query)), Sql.Value(oldest), Sql.Value(end.CreatedAt), Sql.Value(end.Id),
                Sql.Value(query.Limit + 1), Sql.OrNull(query.Type), Sql.OrNull(query.ClientId), Sql.OrNull(query.ParentId),
                OrNull(query.HasFailed), OrNull(query.DryRun), OrNull((int?)query.Status)),
            row => (
                Job: row.IsDBNull(0) ? null : JobRow.Read(row),
                Place: new JobPlace(row.GetFieldValue<DateTimeOffset>(JobRow.ColumnCount), row.GetGuid(JobRow.ColumnCount + 1)),
                IsLast: row.GetInt64(JobRow.ColumnCount + 2) == JobPage.MaxLookedAt),
            cancellationToken);
        var jobs = rows.Where(row => row.Job is not null).Select(row => row.Job!).Take(query.Limit).ToArray();
        if (rows.Count > query.Limit && rows[^1].Job is not null)
            return (jobs, rows[^2].Place);
        return (jobs, rows is [.., { IsLast: true } last] ? last.Place : null);
    }

    private async Task<(DateTimeOffset First, DateTimeOffset Last)?> FindUnfinishedAsync(Guid companyId, CancellationToken cancellationToken)
    {
        var times = await session.ReadAsync(
            companyId, TransactionKind.Looking, Sql.Statement(FindUnfinishedSql, Sql.Value(companyId)),
            row => (First: JobRow.TimeOrNull(row, 0), Last: JobRow.TimeOrNull(row, 1)), cancellationToken);
        return times is [{ First: { } first, Last: { } last }] ? (first, last) : null;
    }

    private async Task<Dictionary<Guid, string>> ReadMessagesAsync(Guid companyId, ApiJob[] jobs, CancellationToken cancellationToken)
    {
        if (jobs.Length == 0)
            return [];
        var texts = await session.ReadAsync(
            companyId, TransactionKind.Looking,
            Sql.Statement(
                ReadMessagesSql, Sql.Value(companyId), Sql.Column(jobs, job => job.Id, NpgsqlDbType.Uuid),
                Sql.Column(jobs, job => job.NextChunk, NpgsqlDbType.Integer)),
            row => (JobId: row.GetGuid(0), Text: row.GetString(1)), cancellationToken);
        return texts.GroupBy(text => text.JobId, text => text.Text).ToDictionary(job => job.Key, string.Concat);
    }

    private static NpgsqlParameter OrNull(bool? value) => new() { Value = value ?? (object)DBNull.Value, NpgsqlDbType = NpgsqlDbType.Boolean };

    private static NpgsqlParameter OrNull(int? value) => new() { Value = value ?? (object)DBNull.Value, NpgsqlDbType = NpgsqlDbType.Integer };
}
