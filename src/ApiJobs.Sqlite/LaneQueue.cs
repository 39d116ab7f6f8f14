using ApiJobs.Storage;

namespace ApiJobs.Sqlite;

/// <summary>Where a lane stands: the last position of it that has ended, and the last that is given.</summary>
internal readonly record struct LanePositions(long Head, long Tail);

/// <summary>Which lanes have work, who serves them, and whose turn is next; in memory, made again from the lanes' table at each start.</summary>
/// <remarks>
/// One process owns the file, so a lease that outlived its process would only make its lane wait. The positions come from
/// the writer in the order of its commits, so what is here is what the table holds.
/// </remarks>
internal sealed class LaneQueue(TimeProvider time)
{
    // Of a lane without work only its last turn is worth remembering, and only for as long as this many others do not come after it.
    private const int MaxIdleLanes = 65_536;

    private readonly Lock _gate = new();
    private readonly Dictionary<(Guid CompanyId, string Name), Lane> _lanes = [];
    private readonly SortedSet<Lane> _waiting = new(LeastRecentlyServed.Instance);
    private readonly SortedSet<Lane> _idle = new(LeastRecentlyServed.Instance);
    private readonly List<Lane> _leased = [];
    private TaskCompletionSource _work = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _turn;

    /// <summary>Takes over where a lane stands after a commit; wakes those who wait if it has got work.</summary>
    internal void Move(Guid companyId, string name, LanePositions positions)
    {
        lock (_gate)
        {
            if (!_lanes.TryGetValue((companyId, name), out var lane))
            {
                if (positions.Head >= positions.Tail)
                    return;
                lane = new Lane(companyId, name);
                _lanes.Add((companyId, name), lane);
            }

            lane.Positions = positions;
            if (lane.Token == Guid.Empty)
                Queue(lane);
        }
    }

    /// <summary>Leases the lane with work that was served least recently: one that waits, or one whose lease has expired.</summary>
    internal LaneLease? Claim(TimeSpan leaseFor)
    {
        lock (_gate)
        {
            if (Next() is not { } lane)
                return null;
            Unqueue(lane);
            lane.Token = Guid.CreateVersion7();
            lane.LeasedUntil = Deadline(leaseFor);
            // Its turn counts from here too: a worker that dies without a release has had one.
            lane.ServedTurn = ++_turn;
            _leased.Add(lane);
            return new LaneLease(lane.CompanyId, lane.Name, lane.Token);
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
            lane.LeasedUntil = Deadline(leaseFor);
            return true;
        }
    }

    internal void Release(LaneLease lease)
    {
        lock (_gate)
        {
            if (Find(lease) is not { } lane)
                return;
            _leased.Remove(lane);
            lane.Token = Guid.Empty;
            lane.ServedTurn = ++_turn;
            Queue(lane);
        }
    }

    /// <summary>Waits until a lane waits to be claimed, or for <paramref name="atMost"/>.</summary>
    internal async Task WaitAsync(TimeSpan atMost, CancellationToken cancellationToken)
    {
        Task work;
        lock (_gate)
        {
            if (_waiting.Count > 0)
                return;
            work = _work.Task;
        }

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(work, Task.Delay(atMost, time, stop.Token));
        await stop.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
    }

    private Lane? Next()
    {
        var next = _waiting.Min;
        foreach (var leased in _leased)
        {
            if (leased.HasWork && leased.LeasedUntil <= time.GetTimestamp()
                && (next is null || LeastRecentlyServed.Instance.Compare(leased, next) < 0))
            {
                next = leased;
            }
        }

        return next;
    }

    private Lane? Find(LaneLease lease) =>
        _lanes.TryGetValue((lease.CompanyId, lease.Lane), out var lane) && lane.Token == lease.Token ? lane : null;

    // A monotonic clock: setting the machine's time neither ends a lease nor prolongs it.
    private long Deadline(TimeSpan leaseFor) =>
        time.GetTimestamp() + (long)(leaseFor.TotalSeconds * time.TimestampFrequency);

    private void Queue(Lane lane)
    {
        if (lane.HasWork && _waiting.Contains(lane))
            return;
        Unqueue(lane);
        // Among lanes that were served never, or forgotten since, the first to get work comes first.
        lane.QueuedTurn = ++_turn;
        if (!lane.HasWork)
        {
            _idle.Add(lane);
            if (_idle.Count > MaxIdleLanes)
                Forget(_idle.Min!);
            return;
        }

        _waiting.Add(lane);
        var woken = _work;
        _work = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        woken.TrySetResult();
    }

    private void Unqueue(Lane lane)
    {
        _waiting.Remove(lane);
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

        internal bool HasWork => Positions.Head < Positions.Tail;

        // The order in the sets: changed only while the lane is in neither.
        internal long ServedTurn { get; set; }

        internal long QueuedTurn { get; set; }

        /// <summary>Empty while nobody holds a lease.</summary>
        internal Guid Token { get; set; }

        internal long LeasedUntil { get; set; }
    }

    private sealed class LeastRecentlyServed : IComparer<Lane>
    {
        internal static readonly LeastRecentlyServed Instance = new();

        public int Compare(Lane? left, Lane? right) =>
            (left!.ServedTurn, left.QueuedTurn).CompareTo((right!.ServedTurn, right.QueuedTurn));
    }
}
