namespace ApiJobs.Sqlite.Connections;

/// <summary>The store's one clock: that of the process that owns the file, but never going back.</summary>
/// <remarks>
/// <para><see cref="Now"/> is for times that are shown. It follows the machine's clock ahead, goes on by itself while that is
/// behind, and begins no earlier than the latest time in the database.</para>
/// <para><see cref="Steady"/> is for judging how long ago something was: the time at which the store was opened, and what has
/// really passed since. A clock that is set ahead by a month makes nothing a month old. One that was wrong already when the store
/// was opened cannot be told from a right one.</para>
/// </remarks>
internal sealed class StoreClock(TimeProvider time)
{
    private readonly Lock _gate = new();
    private DateTimeOffset _now, _opened;
    private long _nowAt, _openedAt;

    /// <summary>The time to write down.</summary>
    internal DateTimeOffset Now
    {
        get
        {
            lock (_gate)
            {
                var (elapsed, shown) = (Elapsed, time.GetUtcNow());
                var passed = _now + time.GetElapsedTime(_nowAt, elapsed);
                (_now, _nowAt) = (shown > passed ? shown : passed, elapsed);
                return AsStored(_now);
            }
        }
    }

    /// <summary>The time to judge ages by.</summary>
    internal DateTimeOffset Steady => AsStored(_opened + time.GetElapsedTime(_openedAt));

    /// <summary>What passes whatever the clock is set to, in the units of <see cref="After"/>.</summary>
    internal long Elapsed => time.GetTimestamp();

    /// <summary>Sets the clock when the store is opened.</summary>
    /// <param name="latest">The latest time that the database holds.</param>
    internal void Start(DateTimeOffset latest)
    {
        var shown = time.GetUtcNow();
        _now = _opened = shown > latest ? shown : latest;
        _nowAt = _openedAt = Elapsed;
    }

    /// <summary>The value of <see cref="Elapsed"/> after a time from now.</summary>
    internal long After(TimeSpan wait) => time.GetTimestamp() + (long)(wait.TotalSeconds * time.TimestampFrequency);

    /// <summary>How long ago <see cref="Elapsed"/> had a value.</summary>
    internal TimeSpan Since(long elapsed) => time.GetElapsedTime(elapsed);

    /// <summary>How long it is until <see cref="Elapsed"/> has a value; not below zero.</summary>
    internal TimeSpan Until(long elapsed) => TimeSpan.FromSeconds(Math.Max(0, elapsed - time.GetTimestamp()) / (double)time.TimestampFrequency);

    // So that what is answered is what will be read.
    private static DateTimeOffset AsStored(DateTimeOffset exact) => StoredTime.To(StoredTime.From(exact));
}
