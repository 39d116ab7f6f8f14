namespace ApiJobs.Stores.Tests.Sqlite;

/// <summary>A clock that can be set to another time without any passing.</summary>
internal sealed class SetClock(TimeProvider time) : TimeProvider
{
    private TimeSpan _setBy;

    public override long TimestampFrequency => time.TimestampFrequency;

    public override DateTimeOffset GetUtcNow() => time.GetUtcNow() + _setBy;

    public override long GetTimestamp() => time.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        time.CreateTimer(callback, state, dueTime, period);

    /// <summary>Sets the clock ahead, or back.</summary>
    internal void Set(TimeSpan by) => _setBy += by;
}
