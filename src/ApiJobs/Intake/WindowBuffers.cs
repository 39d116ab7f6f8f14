using System.Buffers;
using System.Collections.Concurrent;
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

    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(5);

    // 128 KiB, 192, 320, 576, 1,088 and so on.
    private static readonly ConcurrentQueue<byte[]>[] Large = [.. Enumerable.Range(0, 15).Select(_ => new ConcurrentQueue<byte[]>())];

    private static readonly ITimer AfterWave =
        TimeProvider.System.CreateTimer(_ => GiveBack(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    private static int _leasedLarge;
    private static long _droppedBytes;
    private static bool _isWave;

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

        Interlocked.Decrement(ref _leasedLarge);
        if (Large[SizeIndex(buffer.Length)] is var kept && kept.Count < MaxKeptOfEachSize)
            kept.Enqueue(buffer);
        else if (Interlocked.Add(ref _droppedBytes, buffer.Length) >= WaveBytes && !Interlocked.Exchange(ref _isWave, true))
            AfterWave.Change(Calm, Timeout.InfiniteTimeSpan);
    }

    // Measured on a server after 300 stalled uploads: nothing makes the collector run while it idles, and a collection of any other
    // kind keeps the memory for the process. This one stops everything for some milliseconds, so it waits until no large record is read.
    private static void GiveBack()
    {
        if (Volatile.Read(ref _leasedLarge) > 0)
        {
            AfterWave.Change(Calm, Timeout.InfiniteTimeSpan);
            return;
        }

        Interlocked.Exchange(ref _droppedBytes, 0);
        Volatile.Write(ref _isWave, false);
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }

    private static int SizeIndex(int bytes) => 32 - BitOperations.LeadingZeroCount((uint)(bytes - SmallBytes - 1) / SmallBytes);
}
