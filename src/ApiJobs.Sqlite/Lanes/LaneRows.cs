using ApiJobs.Sqlite.Connections;
using ApiJobs.Storage;

namespace ApiJobs.Sqlite.Lanes;

/// <summary>Where a lane stands: the first position that may be unfinished, and the next to be given.</summary>
internal readonly record struct LanePositions(long Head, long Next)
{
    internal bool HasWork => Head < Next;
}

/// <summary>Lanes as they are stored. Everything here runs inside a transaction.</summary>
internal static class LaneRows
{
    private const int MaxFaultLength = 1_000;

    /// <summary>Gives a job the next position of its lane, and a time that is not before that of the job before.</summary>
    internal static (LanePositions Lane, long Position, DateTimeOffset CreatedAt) TakePosition(
        SqliteSession session, NewJob job, DateTimeOffset now)
    {
        using var take = session.Use("""
            INSERT INTO lanes (company_id, lane, next_position, last_created_at, sealed_records, sealed_bytes) VALUES (?1, ?2, 2, ?3, ?4, ?5)
            ON CONFLICT DO UPDATE SET next_position = next_position + 1, last_created_at = max(last_created_at, ?3),
                sealed_records = sealed_records + ?4, sealed_bytes = sealed_bytes + ?5
            RETURNING head_position, next_position, last_created_at
            """);
        take.Bind(1, job.CompanyId).Bind(2, job.Lane).Bind(3, StoredTime.From(now)).Bind(4, job.TotalRecords).Bind(5, job.TotalBytes).Read();
        var positions = new LanePositions(take.Int64(0), take.Int64(1));
        return (positions, positions.Next - 1, StoredTime.To(take.Int64(2)));
    }

    /// <summary>Moves a lane's head up to its first unfinished job.</summary>
    /// <param name="session">The session.</param>
    /// <param name="companyId">The company.</param>
    /// <param name="lane">The lane.</param>
    /// <param name="ended">What waits no longer, because it has ended in this transaction.</param>
    /// <param name="now">The time.</param>
    /// <returns>Where the lane stands now; null if there is no such lane.</returns>
    internal static LanePositions? MoveHead(SqliteSession session, Guid companyId, string lane, Backlog ended, DateTimeOffset now)
    {
        using var move = session.Use("""
            UPDATE lanes SET last_ended_at = max(last_ended_at, ?3), head_position = coalesce(
                (SELECT position FROM jobs WHERE company_id = ?1 AND lane = ?2 AND end_time IS NULL ORDER BY position LIMIT 1),
                next_position),
                ended_records = ended_records + ?4, ended_bytes = ended_bytes + ?5
            WHERE company_id = ?1 AND lane = ?2
            RETURNING head_position, next_position
            """);
        move.Bind(1, companyId).Bind(2, lane).Bind(3, StoredTime.From(now)).Bind(4, ended.Records).Bind(5, ended.Bytes);
        return move.Read() ? new LanePositions(move.Int64(0), move.Int64(1)) : null;
    }

    /// <summary>What waits in the lanes of a company, or of all.</summary>
    internal static Backlog Backlog(SqliteSession session, Guid? companyId)
    {
        const string Sums = "coalesce(sum(sealed_records - ended_records), 0), coalesce(sum(sealed_bytes - ended_bytes), 0)";
        using var read = companyId is { } company
            ? session.Use($"SELECT {Sums} FROM lanes WHERE company_id = ?1 AND head_position < next_position").Bind(1, company)
            : session.Use($"SELECT {Sums} FROM lanes WHERE head_position < next_position");
        return read.Read() ? new(read.Int64(0), read.Int64(1)) : default;
    }

    /// <summary>Keeps why a lane is left alone and until when, or that it is well.</summary>
    internal static bool KeepFault(SqliteSession session, LaneLease lease, LaneFault? fault, DateTimeOffset now)
    {
        using var keep = session.Use("UPDATE lanes SET not_before = ?3, faults = ?4, fault = ?5 WHERE company_id = ?1 AND lane = ?2");
        keep.Bind(1, lease.CompanyId).Bind(2, lease.Lane);
        if (fault is null)
            keep.BindNull(3).Bind(4, 0).BindNull(5);
        else
            keep.Bind(3, StoredTime.From(now + fault.Pause)).Bind(4, lease.Faults + 1).Bind(5, Cut(fault.Message));
        return keep.Run() == 1;
    }

    /// <summary>Queues the lanes that have work, those that are left alone among them, as a process does when it starts.</summary>
    internal static void Load(SqliteSession session, LaneQueue queue, DateTimeOffset now)
    {
        using var lanes = session.Use("""
            SELECT company_id, lane, head_position, next_position, not_before, faults FROM lanes
            WHERE head_position < next_position OR faults > 0
            """);
        while (lanes.Read())
        {
            var pause = lanes.IsNull(4) ? TimeSpan.Zero : StoredTime.To(lanes.Int64(4)) - now;
            queue.Restore(lanes.Guid(0), lanes.Text(1), new(lanes.Int64(2), lanes.Int64(3)), lanes.Int32(5), pause);
        }
    }

    /// <summary>The latest time in the database that somebody may have been told: nothing later was written to jobs or rows.</summary>
    internal static DateTimeOffset LatestTime(SqliteSession session)
    {
        // Of unfinished jobs only the first of a lane can have changed since it was accepted.
        using var latest = session.Use("""
            SELECT max(l.last_created_at, l.last_ended_at, coalesce(j.updated_at, 0)) AS latest
            FROM lanes l LEFT JOIN jobs j
              ON j.company_id = l.company_id AND j.lane = l.lane AND j.position = l.head_position AND j.end_time IS NULL
            ORDER BY latest DESC LIMIT 1
            """);
        return latest.Read() ? StoredTime.To(latest.Int64(0)) : DateTimeOffset.UnixEpoch;
    }

    /// <summary>The companies that have lanes, in the order of their ids.</summary>
    internal static IReadOnlyList<Guid> Companies(SqliteSession session, Guid? after, int max)
    {
        // From company to company by the key, however many lanes each has.
        using var next = session.Use("SELECT company_id FROM lanes WHERE company_id > ?1 ORDER BY company_id LIMIT 1");
        var companies = new List<Guid>();
        while (companies.Count < max)
        {
            using (after is { } last ? next.Bind(1, last) : next.Bind(1, ReadOnlySpan<byte>.Empty))
            {
                if (!next.Read())
                    break;
                after = next.Guid(0);
            }

            companies.Add(after.Value);
        }

        return companies;
    }

    // Never in the middle of a surrogate pair, which SQLite would keep as something else.
    private static string Cut(string text) => text.Length <= MaxFaultLength
        ? text
        : text[..(char.IsHighSurrogate(text[MaxFaultLength - 1]) ? MaxFaultLength - 1 : MaxFaultLength)];
}
