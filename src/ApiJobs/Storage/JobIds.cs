namespace ApiJobs.Storage;

/// <summary>What the ids of jobs say about time: they are UUIDs of version 7, which begin with the millisecond they were made in.</summary>
public static class JobIds
{
    /// <summary>The id before which all jobs were accepted that had ended by a time.</summary>
    /// <remarks>It makes the old jobs of a company a range of the primary key, and needs no index on the time they ended.</remarks>
    public static Guid LowestAt(DateTimeOffset time)
    {
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        var milliseconds = Math.Max(0, time.ToUnixTimeMilliseconds());
        for (var i = 5; i >= 0; i--, milliseconds >>= 8)
            bytes[i] = (byte)milliseconds;
        return new(bytes, bigEndian: true);
    }
}
