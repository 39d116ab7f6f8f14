using System.Collections.Concurrent;
using ApiJobs.Operations;

namespace ApiJobs.Processing;

/// <summary>How many records of each operation to apply in one transaction, as all slots of this node have learnt it.</summary>
internal sealed class GroupSizes(WorkerOptions options)
{
    private readonly ConcurrentDictionary<string, GroupSize> _byType = new(StringComparer.Ordinal);

    /// <summary>How many records a slice reads before it knows whose they are.</summary>
    public int FirstRead { get; } = Math.Min(GroupSize.LargestFirst, options.MaxRecordsPerTransaction);

    public GroupSize Of(BulkOperation operation) => _byType.GetOrAdd(
        operation.Type, static (_, it) => new GroupSize(it.options, it.operation.MaxChunkRecords), (options, operation));
}

/// <summary>How many records of an operation to apply in one transaction, so that they take about a quarter of a slice.</summary>
/// <remarks>
/// A commit costs a flush to the disk, so a transaction should not be too small; other lanes and the store's other
/// writers wait for its end, so it should not be too large; and within a slice several must follow each other, or
/// nothing could be prepared while another is applied. Only the operation's own time is looked at: a slow disk is no
/// reason to commit more often.
/// </remarks>
internal sealed class GroupSize(WorkerOptions options, int maxChunkRecords)
{
    public const int LargestFirst = 1_000;

    // Slots write it at the same time; a lost update costs nothing.
    private volatile int _maxRecords = Math.Min(Math.Min(LargestFirst, maxChunkRecords), options.MaxRecordsPerTransaction);

    public int MaxRecords => _maxRecords;

    /// <summary>Learns from a call of the operation. Slowness counts at once, whatever the group's size; quickness by doubling.</summary>
    public void Adapt(long records, TimeSpan elapsed)
    {
        var target = options.Slice / 4;
        if (elapsed <= TimeSpan.Zero || records == 0)
            return;
        var ideal = records * (target / elapsed);
        // A call with few records says little about many: what it costs may be the call's.
        if (elapsed <= target && records < _maxRecords / 2)
            return;
        _maxRecords = (int)Math.Clamp(ideal, 1, Math.Min(_maxRecords * 2L, options.MaxRecordsPerTransaction));
    }
}
