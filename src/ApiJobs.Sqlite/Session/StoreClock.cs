namespace ApiJobs.Sqlite.Session;

/// <summary>The store's one clock. It never goes back, whatever is done to the machine's.</summary>
/// <remarks>
/// <para><see cref="Now"/> is for times that are shown. It follows the machine's clock forward, and goes on by itself while
/// that is behind; across a restart it goes on from the latest time in the database.</para>
/// <para><see cref="Steady"/> is for judging how long ago something was. It takes the machine's time once, when the store
/// opens, and then counts what really passes: a clock that jumps forty days ahead makes nothing forty days older.</para>
/// </remarks>
internal sealed class StoreClock(TimeProvider time)
{
    private readonly Lock _gate = new();
    private DateTimeOffset _now, _opened;
    private long _nowStamp, _openedStamp;

    internal DateTimeOffset Now()
    {
        lock (_gate)
        {
            var stamp = time.GetTimestamp();
            var passed = _now + time.GetElapsedTime(_nowStamp, stamp);
            var wall = time.GetUtcNow();
            (_now, _nowStamp) = (wall > passed ? wall : passed, stamp);
            return Truncate(_now);
        }
    }

    internal DateTimeOffset Steady() => Truncate(_opened + time.GetElapsedTime(_openedStamp));

    /// <summary>Begins: not before <paramref name="latest"/>, the latest time that the database holds.</summary>
    internal void Start(DateTimeOffset latest)
    {
        var wall = time.GetUtcNow();
        _now = _opened = wall > latest ? wall : latest;
        _nowStamp = _openedStamp = time.GetTimestamp();
    }

    // As it is stored, so that what is answered is what is read later.
    private static DateTimeOffset Truncate(DateTimeOffset exact) => StoredTime.To(StoredTime.From(exact));
}
