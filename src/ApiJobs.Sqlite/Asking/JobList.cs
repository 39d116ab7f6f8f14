using ApiJobs.Jobs;
using ApiJobs.Sqlite.Connections;
using ApiJobs.Storage;

namespace ApiJobs.Sqlite.Asking;

/// <summary>Lists jobs, newest first, and says where they stand in their lanes.</summary>
internal static class JobList
{
    private static readonly Guid FirstId = Guid.Empty, LastId = Guid.AllBitsSet;

    internal static JobPage Read(SqliteSession session, Guid companyId, JobQuery query)
    {
        var oldest = query.CreatedAfter ?? DateTimeOffset.UnixEpoch;
        List<JobPlace?> ends = [query.After, query.CreatedBefore is { } before ? new(before, FirstId) : null];
        if (query.Status is ApiJobStatus.Pending or ApiJobStatus.Processing)
        {
            if (FindUnfinished(session, companyId) is not var (first, last))
                return new([], Next: null);
            oldest = oldest > first ? oldest : first;
            // Only the first job of a lane can have begun.
            if (query.Status == ApiJobStatus.Processing)
                ends.Add(new(last, LastId));
        }

        var end = ends.OfType<JobPlace>().DefaultIfEmpty(new(DateTimeOffset.MaxValue, LastId))
            .MinBy(place => (StoredTime.From(place.CreatedAt), place.Id));
        return Walk(session, companyId, query, oldest, end);
    }

    /// <summary>Where the lanes of some jobs stand.</summary>
    internal static IReadOnlyList<long> CountBefore(SqliteSession session, Guid companyId, IReadOnlyList<ApiJob> jobs)
    {
        var lanes = jobs.Select(job => job.Lane).Distinct().ToDictionary(lane => lane, lane => ReadPlaces(session, companyId, lane));
        return [.. jobs.Select(job => lanes[job.Lane].CountBefore(job))];
    }

    // CROSS JOIN keeps the order of the tables: from mark to mark, each with its job.
    private static JobPage Walk(SqliteSession session, Guid companyId, JobQuery query, DateTimeOffset oldest, JobPlace end)
    {
        using var walk = session.Use($"""
            SELECT {JobRows.Columns} FROM (
                SELECT created_at AS marked_at, job_id FROM job_marks
                WHERE company_id = ?1 AND mark = ?2 AND created_at >= ?3 AND (created_at, job_id) < (?4, ?5)) m
            CROSS JOIN jobs ON company_id = ?1 AND id = m.job_id
            ORDER BY m.marked_at DESC, m.job_id DESC LIMIT {JobPage.MaxLookedAt}
            """);
        walk.Bind(1, companyId).Bind(2, JobMarks.For(query)).Bind(3, StoredTime.From(oldest)).Bind(4, StoredTime.From(end.CreatedAt)).Bind(5, end.Id);
        var listed = new List<ListedJob>();
        JobPlace? lookedAt = null;
        for (var count = 1; walk.Read(); count++)
        {
            var job = JobRows.Read(walk, companyId);
            if (query.Matches(job))
            {
                if (listed.Count == query.Limit)
                    return new(listed, lookedAt);
                listed.Add(new(job, job.MessageEntryCount == 0 ? "" : JobRows.MessageStart(session, job)));
            }

            lookedAt = new(job.CreatedAt, job.Id);
            if (count == JobPage.MaxLookedAt)
                return new(listed, lookedAt);
        }

        return new(listed, Next: null);
    }

    // The times between which the first jobs of the company's lanes were accepted: in a lane, no job was accepted before the one ahead of it.
    private static (DateTimeOffset First, DateTimeOffset Last)? FindUnfinished(SqliteSession session, Guid companyId)
    {
        using var heads = session.Use("""
            SELECT min(j.created_at), max(j.created_at) FROM lanes l
            CROSS JOIN jobs j ON j.company_id = l.company_id AND j.lane = l.lane AND j.position = l.head_position AND j.end_time IS NULL
            WHERE l.company_id = ?1 AND l.head_position < l.next_position
            """);
        return heads.Bind(1, companyId).Read() && !heads.IsNull(0) ? (StoredTime.To(heads.Int64(0)), StoredTime.To(heads.Int64(1))) : null;
    }

    private static LanePlaces ReadPlaces(SqliteSession session, Guid companyId, string lane)
    {
        var head = 0L;
        using (var find = session.Use("SELECT head_position FROM lanes WHERE company_id = ?1 AND lane = ?2"))
        {
            if (find.Bind(1, companyId).Bind(2, lane).Read())
                head = find.Int64(0);
        }

        using var unfinished = session.Use("""
            SELECT position FROM jobs
            WHERE company_id = ?1 AND lane = ?2 AND position >= ?3 AND position < ?4 AND end_time IS NULL
            ORDER BY position
            """);
        unfinished.Bind(1, companyId).Bind(2, lane).Bind(3, head).Bind(4, head + LanePlaces.MaxCounted);
        var positions = new List<long>();
        while (unfinished.Read())
            positions.Add(unfinished.Int64(0));
        return new(head, positions);
    }
}
