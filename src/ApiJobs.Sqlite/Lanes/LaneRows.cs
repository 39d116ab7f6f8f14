using ApiJobs.Sqlite.Session;

namespace ApiJobs.Sqlite.Lanes;

/// <summary>Where a lane stands: the first position of it that may be unfinished, and the next that is given.</summary>
internal readonly record struct LanePositions(long Head, long Next)
{
    internal bool HasWork => Head < Next;
}

/// <summary>Why a lane was given back, how often in a row, and until when it is left alone.</summary>
internal sealed record LaneIllness(string Fault, int Faults, DateTimeOffset NotBefore);

/// <summary>The lanes as the database holds them. What writes runs inside the writer's transaction.</summary>
internal static class LaneRows
{
    /// <summary>Gives a new job its position at the end of its lane, and the time it was accepted, which never goes back along a lane.</summary>
    internal static (LanePositions Lane, long Position, DateTimeOffset CreatedAt) GivePosition(
        PreparedConnection connection, Guid companyId, string lane, DateTimeOffset now)
    {
        using var upsert = connection.Use("""
            INSERT INTO lanes (company_id, lane, next_position, last_created_at) VALUES (?1, ?2, 2, ?3)
            ON CONFLICT DO UPDATE SET next_position = next_position + 1, last_created_at = max(last_created_at, ?3)
            RETURNING head_position, next_position, last_created_at
            """);
        upsert.Bind(1, companyId).Bind(2, lane).Bind(3, StoredTime.From(now)).Read();
        var next = upsert.Int64(1);
        return (new(upsert.Int64(0), next), next - 1, StoredTime.To(upsert.Int64(2)));
    }

    /// <summary>Moves a lane's head up to its first unfinished job.</summary>
    internal static LanePositions MoveHead(PreparedConnection connection, Guid companyId, string lane, DateTimeOffset now)
    {
        using var move = connection.Use("""
            UPDATE lanes SET last_ended_at = max(last_ended_at, ?3), head_position = coalesce(
                (SELECT position FROM jobs WHERE company_id = ?1 AND lane = ?2 AND end_time IS NULL ORDER BY position LIMIT 1),
                next_position)
            WHERE company_id = ?1 AND lane = ?2
            RETURNING head_position, next_position
            """);
        return move.Bind(1, companyId).Bind(2, lane).Bind(3, StoredTime.From(now)).Read()
            ? new(move.Int64(0), move.Int64(1))
            : throw new InvalidOperationException($"Lane '{lane}' of company {companyId} has jobs, but no row.");
    }

    /// <summary>Keeps why a lane is ill, so that a restart does not forget it; null for one that is well.</summary>
    internal static void Keep(PreparedConnection connection, Guid companyId, string lane, LaneIllness? illness)
    {
        using var update = connection.Use("UPDATE lanes SET faults = ?3, fault = ?4, not_before = ?5 WHERE company_id = ?1 AND lane = ?2");
        update.Bind(1, companyId).Bind(2, lane).Bind(3, illness?.Faults ?? 0).BindOrNull(4, illness?.Fault);
        (illness is null ? update.BindNull(5) : update.Bind(5, StoredTime.From(illness.NotBefore))).Run();
    }

    /// <summary>Reads the lanes that a queue has to know: those with work, and those that are ill.</summary>
    internal static void Load(PreparedConnection connection, LaneQueue lanes, DateTimeOffset now)
    {
        using var select = connection.Use("""
            SELECT company_id, lane, head_position, next_position, faults, fault, not_before FROM lanes
            WHERE head_position < next_position OR faults > 0
            """);
        while (select.Read())
        {
            var illness = select.Int32(4) == 0 ? null : new LaneIllness(select.Text(5), select.Int32(4), StoredTime.To(select.Int64(6)));
            lanes.Load(select.Guid(0), select.Text(1), new(select.Int64(2), select.Int64(3)), illness, now);
        }
    }

    /// <summary>The latest time in the database that somebody may have been told.</summary>
    internal static DateTimeOffset LatestTime(PreparedConnection connection)
    {
        // Of unfinished jobs only the first of a lane can have changed since it was accepted.
        using var latest = connection.Use("""
            SELECT max(l.last_created_at, l.last_ended_at, coalesce(j.updated_at, 0)) AS latest
            FROM lanes l LEFT JOIN jobs j
              ON j.company_id = l.company_id AND j.lane = l.lane AND j.position = l.head_position AND j.end_time IS NULL
            ORDER BY latest DESC LIMIT 1
            """);
        return latest.Read() ? StoredTime.To(latest.Int64(0)) : DateTimeOffset.UnixEpoch;
    }
}
