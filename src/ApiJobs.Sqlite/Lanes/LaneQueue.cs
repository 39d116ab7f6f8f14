using ApiJobs.Sqlite.Connections;
using ApiJobs.Storage;

namespace ApiJobs.Sqlite.Lanes;

/// <summary>Which lanes have work, which are left alone for a while, and whose turn is next; in memory, made again from the lanes' table at each start.</summary>
/// <remarks>
/// One process owns the file, so a lease that outlived its process would only make its lane wait. The positions come from
/// the writer in the order of its commits, so what is here is what the table holds.
/// </remarks>
internal sealed class LaneQueue(StoreClock clock, TimeProvider time)
{
    // Of a lane without work only its last turn is worth remembering, and only for as long as this many others do not come after it.
    private const int MaxIdleLanes = 65_536;

    private static readonly TimeSpan LongestPause = TimeSpan.FromDays(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<(Guid CompanyId, string Name), Lane> _lanes = [];
    private readonly SortedSet<Lane> _waiting = new(LeastRecentlyServed.Instance);
    private readonly SortedSet<Lane> _keptBack = new(SoonestDue.Instance);
    private readonly SortedSet<Lane> _idle = new(LeastRecentlyServed.Instance);
    private readonly List<Lane> _leased = [];
    private TaskCompletionSource _work = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _turn;

    // When the lane that was claimed last had been served before: the lanes that wait were served since.
    private long _frontTurn;

    /// <summary>Takes over where a lane stands after a commit; wakes those who wait if it has got work.</summary>
    /// <param name="companyId">The lane's company.</param>
    /// <param name="name">The lane's name.</param>
    /// <param name="positions">Where it stands; null if nothing has changed.</param>
    internal void Move(Guid companyId, string name, LanePositions? positions)
    {
        lock (_gate)
        {
            if (positions is not { } moved || (!moved.HasWork && !_lanes.ContainsKey((companyId, name))))
                return;
            var lane = FindOrAdd(companyId, name);
            lane.Positions = moved;
            if (lane.Token == Guid.Empty)
                Queue(lane);
        }
    }

    /// <summary>Takes over a lane as it was stored.</summary>
    internal void Restore(Guid companyId, string name, LanePositions positions, int faults, TimeSpan pause)
    {
        lock (_gate)
        {
            var lane = FindOrAdd(companyId, name);
            lane.Positions = positions;
            lane.Faults = faults;
            // However far ahead a clock was when the end of the pause was stored.
            lane.DueAt = clock.After(pause < LongestPause ? pause : LongestPause);
            Queue(lane);
        }
    }

    /// <summary>Leases the lane with work whose turn it is: one that waits, or one whose lease has expired.</summary>
    internal LaneLease? Claim(string node, TimeSpan leaseFor)
    {
        lock (_gate)
        {
            if (Next() is not { } lane)
                return null;
            Unqueue(lane);
            var takenFrom = lane.Token == Guid.Empty ? null : lane.LeasedBy;
            lane.Token = Guid.CreateVersion7();
            lane.LeasedBy = node;
            lane.LeasedUntil = clock.After(leaseFor);
            // Its turn counts from here, as a whole one: a worker that dies without a release has had it.
            _frontTurn = Math.Max(_frontTurn, lane.ServedTurn);
            lane.ServedTurn = ++_turn;
            _leased.Add(lane);
            return new(lane.CompanyId, lane.Name, lane.Token, lane.Faults) { TakenFrom = takenFrom };
        }
    }

    /// <summary>Whether a claim would get a lane.</summary>
    internal bool IsAnyWaiting()
    {
        lock (_gate)
        {
            return Next() is not null;
        }
    }

    internal bool Renew(LaneLease lease, TimeSpan leaseFor)
    {
        lock (_gate)
        {
            if (Find(lease) is not { } lane)
                return false;
            lane.LeasedUntil = clock.After(leaseFor);
            return true;
        }
    }

    /// <summary>Takes a lane back; with a fault it is left alone for the pause.</summary>
    /// <returns><see langword="false"/> if the lease was lost.</returns>
    internal bool Release(LaneLease lease, LaneFault? fault)
    {
        lock (_gate)
        {
            if (Find(lease) is not { } lane)
                return false;
            _leased.Remove(lane);
            lane.Token = Guid.Empty;
            if (fault is null)
                lane.ServedTurn = _frontTurn + (long)Math.Ceiling(lease.TurnUsed * (lane.ServedTurn - _frontTurn));
            lane.Faults = fault is null ? 0 : lane.Faults + 1;
            lane.DueAt = clock.After(fault?.Pause ?? TimeSpan.Zero);
            Queue(lane);
            return true;
        }
    }

    /// <summary>Waits until a lane waits to be claimed, or for <paramref name="atMost"/>.</summary>
    internal async Task WaitAsync(TimeSpan atMost, CancellationToken cancellationToken)
    {
        Task work;
        lock (_gate)
        {
            LetDueLanesWait();
            if (_waiting.Count > 0)
                return;
            work = _work.Task;
            if (_keptBack.Min is { } soonest && clock.Until(soonest.DueAt) is var due && due < atMost)
                atMost = due;
        }

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(work, Task.Delay(atMost, time, stop.Token));
        await stop.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
    }

    private Lane? Next()
    {
        LetDueLanesWait();
        var next = _waiting.Min;
        foreach (var leased in _leased)
        {
            if (leased.Positions.HasWork && leased.LeasedUntil <= clock.Elapsed
                && (next is null || LeastRecentlyServed.Instance.Compare(leased, next) < 0))
            {
                next = leased;
            }
        }

        return next;
    }

    private Lane? Find(LaneLease lease) =>
        _lanes.TryGetValue((lease.CompanyId, lease.Lane), out var lane) && lane.Token == lease.Token ? lane : null;

    private Lane FindOrAdd(Guid companyId, string name)
    {
        if (!_lanes.TryGetValue((companyId, name), out var lane))
            _lanes.Add((companyId, name), lane = new(companyId, name));
        return lane;
    }

    private void LetDueLanesWait()
    {
        while (_keptBack.Min is { } soonest && soonest.DueAt <= clock.Elapsed)
            Queue(soonest);
    }

    private void Queue(Lane lane)
    {
        if (lane.Positions.HasWork && _waiting.Contains(lane))
            return;
        Unqueue(lane);
        // Among lanes that were served never, or forgotten since, the first to get work comes first.
        lane.QueuedTurn = ++_turn;
        if (lane.DueAt > clock.Elapsed)
        {
            _keptBack.Add(lane);
            // Whoever waits may have to wake earlier than he thought.
            Wake();
            return;
        }

        if (!lane.Positions.HasWork)
        {
            _idle.Add(lane);
            if (_idle.Count > MaxIdleLanes)
                Forget(_idle.Min!);
            return;
        }

        _waiting.Add(lane);
        Wake();
    }

    private void Wake()
    {
        var woken = _work;
        _work = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        woken.TrySetResult();
    }

    private void Unqueue(Lane lane)
    {
        _waiting.Remove(lane);
        _keptBack.Remove(lane);
        _idle.Remove(lane);
        _leased.Remove(lane);
    }

    private void Forget(Lane lane)
    {
        _idle.Remove(lane);
        _lanes.Remove((lane.CompanyId, lane.Name));
    }

    private sealed class Lane(Guid companyId, string name)
    {
        internal Guid CompanyId { get; } = companyId;

        internal string Name { get; } = name;

        internal LanePositions Positions { get; set; }

        /// <summary>How often in a row it was given back with a fault.</summary>
        internal int Faults { get; set; }

        // The order in the sets: changed only while the lane is in none.

        /// <summary>Before this it is left alone.</summary>
        internal long DueAt { get; set; }

        internal long ServedTurn { get; set; }

        internal long QueuedTurn { get; set; }

        /// <summary>Empty while nobody holds a lease.</summary>
        internal Guid Token { get; set; }

        /// <summary>The node that claimed it last, for operators.</summary>
        internal string LeasedBy { get; set; } = "";

        internal long LeasedUntil { get; set; }
    }

    private sealed class LeastRecentlyServed : IComparer<Lane>
    {
        internal static readonly LeastRecentlyServed Instance = new();

        public int Compare(Lane? left, Lane? right) =>
            (left!.ServedTurn, left.QueuedTurn).CompareTo((right!.ServedTurn, right.QueuedTurn));
    }

    private sealed class SoonestDue : IComparer<Lane>
    {
        internal static readonly SoonestDue Instance = new();

        public int Compare(Lane? left, Lane? right) =>
            (left!.DueAt, left.QueuedTurn).CompareTo((right!.DueAt, right.QueuedTurn));
    }
}
