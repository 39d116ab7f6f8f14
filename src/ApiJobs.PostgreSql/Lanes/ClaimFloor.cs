using System.Diagnostics;

namespace ApiJobs.PostgreSql.Lanes;

/// <summary>Remembers how far this node's claims have come in the order of lanes, so that the next one goes on from there.</summary>
/// <remarks>
/// What lies before the floor are the dead entries of lanes that were served since, and now and then a lane whose holder
/// died or whose pause is over. So the floor is forgotten when somebody tells of new work, and once a second.
/// </remarks>
internal sealed class ClaimFloor(WorkSignal signal)
{
    private static readonly TimeSpan LookFromTheFrontEvery = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private DateTime? _servedAt;
    private DateTime _front;
    private long _lookedFromTheFront;
    private int _pulses;

    /// <summary>Since when the lanes were served that wait now, as far as this node has seen.</summary>
    internal DateTime Front
    {
        get
        {
            lock (_lock)
                return _front;
        }
    }

    /// <summary>When the lane was served last that was claimed last; null to look from the front.</summary>
    internal DateTime? Find()
    {
        lock (_lock)
        {
            var isOld = _pulses != signal.Pulses || Stopwatch.GetElapsedTime(_lookedFromTheFront) > LookFromTheFrontEvery;
            return isOld ? null : _servedAt;
        }
    }

    /// <summary>Says that a claim looked from the front, whatever it found; and how often work had been told of before.</summary>
    internal void LookedFromTheFront(int pulses)
    {
        lock (_lock)
            (_lookedFromTheFront, _pulses, _servedAt) = (Stopwatch.GetTimestamp(), pulses, null);
    }

    /// <summary>Says when the lane that was claimed had been served before.</summary>
    internal void Claimed(DateTime servedAt)
    {
        lock (_lock)
        {
            _servedAt = servedAt == DateTime.MinValue ? null : servedAt;
            _front = servedAt > _front ? servedAt : _front;
        }
    }
}
