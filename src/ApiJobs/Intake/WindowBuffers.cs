using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Numerics;

namespace ApiJobs.Intake;

/// <summary>The buffers of bodies that are being read, leased while there is something to hold.</summary>
/// <remarks>
/// The framework's pool doubles its sizes, so that a record of just over a mebibyte would take two, and it keeps what hundreds of uploads
/// at once have left. These sizes have room for a little more than a power of two, and of the large ones only a few are kept.
/// </remarks>
internal static class WindowBuffers
{
    /// <summary>The size that is enough for all but large records.</summary>
    public const int SmallBytes = 64 * 1024;

    private const int MaxKeptOfEachSize = 8;
    private const long WaveBytes = 64 << 20;

    private static readonly TimeSpan BetweenCollections = TimeSpan.FromMinutes(1);

    // 128 KiB, 192, 320, 576, 1,088 and so on.
    private static readonly ConcurrentQueue<byte[]>[] Large = [.. Enumerable.Range(0, 15).Select(_ => new ConcurrentQueue<byte[]>())];

    private static long _leasedLarge;
    private static long _droppedBytes;
    private static long _collectedAt = Stopwatch.GetTimestamp() - (long)(BetweenCollections.TotalSeconds * Stopwatch.Frequency);

    /// <summary>Leases a buffer of at least so many bytes, and of less than twice as many unless it is a small one.</summary>
    public static byte[] Lease(int bytes)
    {
        if (bytes <= SmallBytes)
            return ArrayPool<byte>.Shared.Rent(SmallBytes);
        Interlocked.Increment(ref _leasedLarge);
        var size = SizeIndex(bytes);
        return Large[size].TryDequeue(out var buffer) ? buffer : GC.AllocateUninitializedArray<byte>(SmallBytes + (SmallBytes << size));
    }

    /// <summary>Gives a buffer back.</summary>
    public static void Return(byte[] buffer)
    {
        if (buffer.Length <= SmallBytes)
        {
            ArrayPool<byte>.Shared.Return(buffer);
            return;
        }

        var kept = Large[SizeIndex(buffer.Length)];
        if (kept.Count < MaxKeptOfEachSize)
            kept.Enqueue(buffer);
        else
            Interlocked.Add(ref _droppedBytes, buffer.Length);
        if (Interlocked.Decrement(ref _leasedLarge) == 0)
            GiveBackAfterWave();
    }

    // Measured on a server after 300 stalled uploads: nothing makes the collector run while it idles, and a collection of any other
    // kind keeps the memory for itself; so it would stay with the process for good. No large record is being read when this pauses it.
    private static void GiveBackAfterWave()
    {
        var last = Interlocked.Read(ref _collectedAt);
        if (Interlocked.Read(ref _droppedBytes) < WaveBytes || Stopwatch.GetElapsedTime(last) < BetweenCollections
            || Interlocked.CompareExchange(ref _collectedAt, Stopwatch.GetTimestamp(), last) != last)
        {
            return;
        }

        Interlocked.Exchange(ref _droppedBytes, 0);
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }

    private static int SizeIndex(int bytes) => 32 - BitOperations.LeadingZeroCount((uint)(bytes - SmallBytes - 1) / SmallBytes);
}
