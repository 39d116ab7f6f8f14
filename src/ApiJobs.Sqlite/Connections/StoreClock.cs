namespace ApiJobs.Sqlite.Connections;

/// <summary>The store's clock: that of the one process that owns the file, but never going back.</summary>
/// <remarks>
/// What is shown is the machine's time. How long something has been kept is judged by the time at which the process started and what
/// has really passed since, because a clock that is set forward by a month must not make everything a month old. A clock that was
/// wrong already when the process started cannot be told from a right one.
/// </remarks>
internal sealed class StoreClock(TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly DateTimeOffset _startedAt = time.GetUtcNow();
    private readonly long _started = time.GetTimestamp();
    private DateTimeOffset _last;

    /// <summary>The time to write down.</summary>
    internal DateTimeOffset Now
    {
        get
        {
            lock (_gate)
            {
                var now = time.GetUtcNow();
                return _last = now > _last ? now : _last;
            }
        }
    }

    /// <summary>The time to judge ages by: not after <see cref="Now"/>, and not moved by a clock that is set forward.</summary>
    internal DateTimeOffset Unmoved
    {
        get
        {
            var unmoved = _startedAt + time.GetElapsedTime(_started);
            return Now is var now && unmoved < now ? unmoved : now;
        }
    }

    /// <summary>What passes whatever the clock is set to, in the units of <see cref="After"/>.</summary>
    internal long Elapsed => time.GetTimestamp();

    /// <summary>The value of <see cref="Elapsed"/> after a time from now.</summary>
    internal long After(TimeSpan wait) => time.GetTimestamp() + (long)(wait.TotalSeconds * time.TimestampFrequency);

    /// <summary>How long it is until <see cref="Elapsed"/> has a value; not below zero.</summary>
    internal TimeSpan Until(long elapsed) => TimeSpan.FromSeconds(Math.Max(0, elapsed - time.GetTimestamp()) / (double)time.TimestampFrequency);
}
