namespace ApiJobs.Processing;

/// <summary>How many records to apply in one transaction, so that it takes about a quarter of a slice.</summary>
/// <remarks>
/// A commit costs a flush to the disk, so a transaction should not be too small; other lanes and the store's other
/// writers wait for its end, so it should not be too large; and within a slice several must follow each other, or
/// nothing could be prepared while another is applied.
/// </remarks>
internal sealed class GroupSize(WorkerOptions options)
{
    private const int FirstSize = 1_000;

    public int MaxRecords { get; private set; } = Math.Min(FirstSize, options.MaxRecordsPerTransaction);

    public void Adapt(long records, TimeSpan elapsed)
    {
        // Small groups say more about the cost of a commit than about the cost of a record.
        if (records < MaxRecords / 2 || elapsed <= TimeSpan.Zero)
            return;
        var ideal = records * (options.Slice / 4 / elapsed);
        MaxRecords = (int)Math.Clamp(ideal, Math.Max(1, MaxRecords / 2), Math.Min(MaxRecords * 2L, options.MaxRecordsPerTransaction));
    }
}
