using ApiJobs.Storage;

namespace ApiJobs.Sqlite.Lanes;

/// <summary>Which lanes have work, who serves them, which are ill, and whose turn is next; in memory, made again from the lanes' table at each start.</summary>
/// <remarks>
/// One process owns the file, so a lease that outlived its process would only make its lane wait. The positions come from
/// the writer in the order of its commits, so what is here is what the table holds.
/// </remarks>
internal sealed class LaneQueue(TimeProvider time)
{
    // Of a lane without work only its last turn is worth remembering, and only for as long as this many others do not come after it.
    private const int MaxIdleLanes = 65_536;

    private readonly Lock _gate = new();
    private readonly Dictionary<(Guid CompanyId, string Name), QueuedLane> _lanes = [];
    private readonly SortedSet<QueuedLane> _waiting = new(QueuedLane.LeastRecentlyServed);
    private readonly SortedSet<QueuedLane> _ill = new(QueuedLane.SoonestDue);
    private readonly SortedSet<QueuedLane> _idle = new(QueuedLane.LeastRecentlyServed);
    private readonly List<QueuedLane> _leased = [];
    private TaskCompletionSource _work = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _turn;

    /// <summary>Takes over where a lane stands after a commit; wakes those who wait if it has got work. Null where nothing moved.</summary>
    internal void Move(Guid companyId, string name, LanePositions? moved)
    {
        if (moved is not { } positions)
            return;
        lock (_gate)
        {
            if (!_lanes.TryGetValue((companyId, name), out var lane))
            {
                if (!positions.HasWork)
                    return;
                lane = Add(companyId, name);
            }

            lane.Positions = positions;
            if (lane.Token == Guid.Empty)
                Queue(lane);
        }
    }

    /// <summary>Takes over a lane that the database knew before this process.</summary>
    internal void Load(Guid companyId, string name, LanePositions positions, LaneIllness? illness, DateTimeOffset now)
    {
        lock (_gate)
        {
            var lane = Add(companyId, name);
            lane.Positions = positions;
            lane.Illness = illness;
            lane.DueAt = illness is null ? 0 : Deadline(illness.NotBefore - now);
            Queue(lane);
        }
    }

    /// <summary>Leases the lane with work that was served least recently: one that waits, or one whose lease has expired.</summary>
    internal LaneLease? Claim(string node, TimeSpan leaseFor)
    {
        lock (_gate)
        {
            if (Next() is not { } lane)
                return null;
            Unqueue(lane);
            lane.Token = Guid.CreateVersion7();
            lane.LeasedBy = node;
            lane.LeasedUntil = Deadline(leaseFor);
            // Its turn counts from here: a worker that dies without a release has had one.
            lane.ServedTurn = ++_turn;
            _leased.Add(lane);
            return new LaneLease(lane.CompanyId, lane.Name, lane.Token, lane.Illness?.Faults ?? 0);
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

    /// <summary>Takes a lane back, ill if there is a fault.</summary>
    /// <returns>Whether the lane became ill, more ill or well, which is to be kept.</returns>
    internal bool Release(LaneLease lease, LaneFault? fault, DateTimeOffset now)
    {
        lock (_gate)
        {
            if (Find(lease) is not { } lane)
                return false;
            var wasIll = lane.Illness is not null;
            _leased.Remove(lane);
            lane.Token = Guid.Empty;
            lane.LeasedBy = null;
            lane.Illness = fault is null
                ? null
                : new(FirstKilobyte.Of(fault.Message), (lane.Illness?.Faults ?? 0) + 1, now + fault.Pause);
            lane.DueAt = fault is null ? 0 : Deadline(fault.Pause);
            Queue(lane);
            return wasIll || fault is not null;
        }
    }

    internal LaneIllness? IllnessOf(Guid companyId, string name)
    {
        lock (_gate)
        {
            return _lanes.GetValueOrDefault((companyId, name))?.Illness;
        }
    }

    /// <summary>Waits until a lane waits to be claimed, or for <paramref name="atMost"/>.</summary>
    internal async Task WaitAsync(TimeSpan atMost, CancellationToken cancellationToken)
    {
        Task work;
        lock (_gate)
        {
            HealDue();
            if (_waiting.Count > 0)
                return;
            if (_ill.Min is { } next && UntilDue(next) < atMost)
                atMost = UntilDue(next);
            work = _work.Task;
        }

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(work, Task.Delay(atMost, time, stop.Token));
        await stop.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
    }

    private QueuedLane? Next()
    {
        HealDue();
        var next = _waiting.Min;
        foreach (var leased in _leased)
        {
            if (leased.Positions.HasWork && leased.LeasedUntil <= time.GetTimestamp()
                && (next is null || QueuedLane.LeastRecentlyServed.Compare(leased, next) < 0))
            {
                next = leased;
            }
        }

        return next;
    }

    // Lets the lanes try again whose pause is over. Their faults stay until one of them is given back well.
    private void HealDue()
    {
        while (_ill.Min is { } lane && lane.DueAt <= time.GetTimestamp())
        {
            _ill.Remove(lane);
            lane.DueAt = 0;
            Queue(lane);
        }
    }

    private QueuedLane? Find(LaneLease lease) =>
        _lanes.TryGetValue((lease.CompanyId, lease.Lane), out var lane) && lane.Token == lease.Token ? lane : null;

    private QueuedLane Add(Guid companyId, string name)
    {
        var lane = new QueuedLane(companyId, name);
        _lanes.Add((companyId, name), lane);
        return lane;
    }

    // A monotonic clock: setting the machine's time neither ends a lease or a pause nor prolongs it.
    private long Deadline(TimeSpan fromNow) =>
        time.GetTimestamp() + (long)Math.Ceiling(fromNow.TotalSeconds * time.TimestampFrequency);

    // Rounded up, or a wait would end just before there is something to claim.
    private TimeSpan UntilDue(QueuedLane lane) =>
        TimeSpan.FromMilliseconds(Math.Ceiling(Math.Max(0, lane.DueAt - time.GetTimestamp()) * 1_000.0 / time.TimestampFrequency));

    private void Queue(QueuedLane lane)
    {
        if (lane.DueAt == 0 && lane.Positions.HasWork && _waiting.Contains(lane))
            return;
        Unqueue(lane);
        // Among lanes that were served never, or forgotten since, the first to get work comes first.
        lane.QueuedTurn = ++_turn;
        if (lane.Positions.HasWork && lane.DueAt == 0)
        {
            _waiting.Add(lane);
            Wake();
        }
        else if (lane.DueAt != 0)
        {
            _ill.Add(lane);
            // Whoever waits may have to wake earlier than he thought.
            Wake();
        }
        else if (lane.Illness is null)
        {
            _idle.Add(lane);
            if (_idle.Count > MaxIdleLanes)
                Forget(_idle.Min!);
        }
    }

    private void Wake()
    {
        var woken = _work;
        _work = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        woken.TrySetResult();
    }

    private void Unqueue(QueuedLane lane)
    {
        _waiting.Remove(lane);
        _ill.Remove(lane);
        _idle.Remove(lane);
        _leased.Remove(lane);
    }

    private void Forget(QueuedLane lane)
    {
        _idle.Remove(lane);
        _lanes.Remove((lane.CompanyId, lane.Name));
    }
}
