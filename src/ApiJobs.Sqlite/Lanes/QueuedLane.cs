namespace ApiJobs.Sqlite.Lanes;

/// <summary>A lane as the queue knows it. What a set is ordered by changes only while the lane is not in it.</summary>
internal sealed class QueuedLane(Guid companyId, string name)
{
    internal static readonly IComparer<QueuedLane> LeastRecentlyServed = Comparer<QueuedLane>.Create(
        (left, right) => (left.ServedTurn, left.QueuedTurn).CompareTo((right.ServedTurn, right.QueuedTurn)));

    internal static readonly IComparer<QueuedLane> SoonestDue = Comparer<QueuedLane>.Create(
        (left, right) => (left.DueAt, left.QueuedTurn).CompareTo((right.DueAt, right.QueuedTurn)));

    internal Guid CompanyId { get; } = companyId;

    internal string Name { get; } = name;

    internal LanePositions Positions { get; set; }

    internal long ServedTurn { get; set; }

    internal long QueuedTurn { get; set; }

    /// <summary>Empty while nobody holds a lease.</summary>
    internal Guid Token { get; set; }

    /// <summary>The node that holds the lease, for operators.</summary>
    internal string? LeasedBy { get; set; }

    internal long LeasedUntil { get; set; }

    /// <summary>Null for a lane that is well. One that is ill may be due again.</summary>
    internal LaneIllness? Illness { get; set; }

    /// <summary>The timestamp before which nobody gets the lane; 0 for now.</summary>
    internal long DueAt { get; set; }
}
