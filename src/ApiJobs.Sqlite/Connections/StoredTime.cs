namespace ApiJobs.Sqlite.Connections;

/// <summary>Times as the tables keep them: microseconds since 1970, UTC.</summary>
internal static class StoredTime
{
    internal static long From(DateTimeOffset time) => (time.UtcTicks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;

    internal static DateTimeOffset To(long microseconds) => DateTimeOffset.UnixEpoch.AddTicks(microseconds * TimeSpan.TicksPerMicrosecond);
}
