using ApiJobs.Storage;

namespace ApiJobs.Admission;

/// <summary>How full a queue is: what the store said a moment ago, what this node has put into it since, and what is on its way into it here.</summary>
/// <remarks>
/// So a node by itself never lets more in than fits, and asks the store about once a second, not for each request. What other
/// nodes put in since the last look is not known: together they may exceed a limit by what arrives in that second.
/// </remarks>
internal sealed class QueueGauge(IJobStore store, Guid? companyId, Backlog limit, TimeProvider time)
{
    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromSeconds(1);

    // Whoever is refused learns of a job that ended just now, however many are refused.
    private static readonly TimeSpan LookAgainBeforeRefusal = TimeSpan.FromMilliseconds(100);

    private readonly Lock _gate = new();
    private Backlog _read, _entering, _sealed, _sealedBeforeRead;
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
                return _entering == default && !IsYoungerThan(LookAgainAfter);
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
                return UsedNow;
            }
        }
    }

    private Backlog UsedNow => _read + (_sealed - _sealedBeforeRead) + _entering;

    /// <summary>Says whether there is room for at least one record; looks again before it says no.</summary>
    internal async ValueTask<bool> HasRoomAsync(CancellationToken cancellationToken) => await TryEnterAsync(new(1, 1), isTaken: false, cancellationToken);

    /// <summary>Takes room for what is on its way in, if there is as much; looks again before it says no.</summary>
    internal ValueTask<bool> TryEnterAsync(Backlog more, CancellationToken cancellationToken) => TryEnterAsync(more, isTaken: true, cancellationToken);

    /// <summary>Gives back the room of what did not get in.</summary>
    internal void Leave(Backlog taken)
    {
        lock (_gate)
        {
            _entering -= taken;
        }
    }

    /// <summary>What was on its way in is in the store.</summary>
    internal void Seal(Backlog taken)
    {
        lock (_gate)
        {
            _entering -= taken;
            _sealed += taken;
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
                _looking = LookNowAsync();
            looking = _looking;
        }

        await looking.WaitAsync(cancellationToken);
    }

    private async Task LookNowAsync()
    {
        var (sealedBefore, begun) = (_sealed, time.GetTimestamp());
        // Not cancelled by one of those who wait for it.
        var read = await store.ReadBacklogAsync(companyId, CancellationToken.None);
        lock (_gate)
        {
            // What was sealed here meanwhile may be counted twice for a second: rather too early than too much.
            (_read, _sealedBeforeRead, _readAt) = (read, sealedBefore, begun);
        }
    }

    private async ValueTask<bool> TryEnterAsync(Backlog more, bool isTaken, CancellationToken cancellationToken)
    {
        await LookAsync(LookAgainAfter, cancellationToken);
        if (Fits())
            return true;
        await LookAsync(LookAgainBeforeRefusal, cancellationToken);
        return Fits();

        bool Fits()
        {
            lock (_gate)
            {
                var used = UsedNow + more;
                if (used.Records > limit.Records || used.Bytes > limit.Bytes)
                    return false;
                if (isTaken)
                    _entering += more;
                return true;
            }
        }
    }

    private bool IsYoungerThan(TimeSpan age) => _readAt is { } readAt && time.GetElapsedTime(readAt) < age;
}
