using ApiJobs.Storage;

namespace ApiJobs.Admission;

/// <summary>How full a queue is: what the store said a moment ago, what this node has sealed since, and what is on its way in here.</summary>
/// <remarks>
/// <para>So a node by itself never lets more in than fits, and asks the store about once a second, not for each request. What other
/// nodes put in since the last look is not known: together they may exceed a limit by what arrives in that second.</para>
/// <para>Of requests on their way in, each counts those that came before it, and those that are being sealed: so two that do
/// not fit together do not keep each other out, but one of them gets in.</para>
/// </remarks>
internal sealed class QueueGauge(IJobStore store, Guid? companyId, Backlog limit, TimeProvider time)
{
    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromSeconds(1);

    // Whoever is refused learns of a job that ended just now, however many are refused.
    private static readonly TimeSpan LookAgainBeforeRefusal = TimeSpan.FromMilliseconds(100);

    private readonly Lock _gate = new();
    private readonly LinkedList<Backlog> _entering = [];
    private Backlog _allEntering, _sealing, _sealed, _read, _sealedBeforeRead;
    private long? _readAt;
    private Task? _looking;

    /// <summary>The most that may be queued.</summary>
    internal Backlog Limit => limit;

    /// <summary>Whether nothing is on its way in, and what is known has to be read again in any case.</summary>
    internal bool IsIdle
    {
        get
        {
            lock (_gate)
            {
                return _entering.Count == 0 && _sealing == default && !IsYoungerThan(LookAgainAfter);
            }
        }
    }

    /// <summary>What is queued, as far as this node knows, with what is on its way in here.</summary>
    internal Backlog Used
    {
        get
        {
            lock (_gate)
            {
                return Queued + _allEntering;
            }
        }
    }

    private Backlog Queued => _read + (_sealed - _sealedBeforeRead) + _sealing;

    /// <summary>Gives a place behind all that are on their way in, if there is room for one record; looks again before it says no.</summary>
    /// <returns>The place, to be grown and then sealed or left; null if there is no room.</returns>
    internal async ValueTask<GaugePlace?> TryEnterAsync(CancellationToken cancellationToken)
    {
        return await TryAsync(Enter, cancellationToken);

        GaugePlace? Enter() => Fits(Queued + _allEntering + new Backlog(1, 1)) ? new(this, _entering.AddLast(default(Backlog))) : null;
    }

    /// <summary>Takes room for all that a request has brought so far; looks again before it says no.</summary>
    /// <returns>False if there is not as much; what it had taken before stays taken.</returns>
    internal async ValueTask<bool> TryGrowAsync(LinkedListNode<Backlog> place, Backlog whole, bool isLast, CancellationToken cancellationToken)
    {
        return await TryAsync<object>(Grow, cancellationToken) is not null;

        object? Grow()
        {
            if (!Fits(Queued + _allEntering - place.Value + whole) && !Fits(Queued + Before(place) + whole))
                return null;
            _allEntering += whole - place.Value;
            place.Value = whole;
            if (isLast)
            {
                // From here on it counts for everybody: those before it too.
                _entering.Remove(place);
                _allEntering -= whole;
                _sealing += whole;
            }

            return this;
        }
    }

    /// <summary>What was on its way in is in the store, or did not get in: its room is the store's to count, or free.</summary>
    internal void End(LinkedListNode<Backlog> place, bool isSealed)
    {
        lock (_gate)
        {
            if (place.List is null)
            {
                _sealing -= place.Value;
            }
            else
            {
                _entering.Remove(place);
                _allEntering -= place.Value;
            }

            if (isSealed)
                _sealed += place.Value;
        }
    }

    /// <summary>Asks the store, unless it was asked just now. Those who ask at the same time share an answer.</summary>
    internal async ValueTask LookAsync(TimeSpan atMostOld, CancellationToken cancellationToken)
    {
        Task looking;
        lock (_gate)
        {
            if (IsYoungerThan(atMostOld))
                return;
            if (_looking is not { IsCompleted: false })
                _looking = LookNowAsync(_sealed, time.GetTimestamp());
            looking = _looking;
        }

        await looking.WaitAsync(cancellationToken);
    }

    private async Task LookNowAsync(Backlog sealedBefore, long begun)
    {
        // Not cancelled by one of those who wait for it, and not under the lock, whatever the store does before it waits.
        await Task.Yield();
        var read = await store.ReadBacklogAsync(companyId, CancellationToken.None);
        lock (_gate)
        {
            // What was sealed here meanwhile may be counted twice for a second: rather too early than too much.
            (_read, _sealedBeforeRead, _readAt) = (read, sealedBefore, begun);
        }
    }

    private async ValueTask<T?> TryAsync<T>(Func<T?> attempt, CancellationToken cancellationToken)
        where T : class
    {
        await LookAsync(LookAgainAfter, cancellationToken);
        if (Try() is { } first)
            return first;
        await LookAsync(LookAgainBeforeRefusal, cancellationToken);
        return Try();

        T? Try()
        {
            lock (_gate)
            {
                return attempt();
            }
        }
    }

    private bool Fits(Backlog all) => all.Records <= limit.Records && all.Bytes <= limit.Bytes;

    private static Backlog Before(LinkedListNode<Backlog> place)
    {
        var sum = default(Backlog);
        for (var earlier = place.Previous; earlier is not null; earlier = earlier.Previous)
            sum += earlier.Value;
        return sum;
    }

    private bool IsYoungerThan(TimeSpan age) => _readAt is { } readAt && time.GetElapsedTime(readAt) < age;
}

/// <summary>One request's place in a queue that is bounded. What is not sealed gives its room back.</summary>
internal sealed class GaugePlace(QueueGauge gauge, LinkedListNode<Backlog> place) : IDisposable
{
    private bool _hasEnded;

    internal QueueGauge Gauge => gauge;

    /// <summary>What of a request this place has no room for yet.</summary>
    internal Backlog Missing(Backlog whole) => whole - place.Value;

    internal ValueTask<bool> TryGrowAsync(Backlog whole, bool isLast, CancellationToken cancellationToken) =>
        gauge.TryGrowAsync(place, whole, isLast, cancellationToken);

    internal void Seal() => End(isSealed: true);

    public void Dispose() => End(isSealed: false);

    private void End(bool isSealed)
    {
        if (_hasEnded)
            return;
        _hasEnded = true;
        gauge.End(place, isSealed);
    }
}
