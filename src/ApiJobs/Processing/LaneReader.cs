using ApiJobs.Operations;
using ApiJobs.Storage;

namespace ApiJobs.Processing;

/// <summary>Reads a lane group by group, each as large as its operations may have it.</summary>
internal sealed class LaneReader(LaneLease lease, WorkerNode node)
{
    // Prepared, records take several times their bytes, and two groups are at hand at once.
    private const int MaxGroupBytes = 4 << 20;

    private readonly Queue<PendingChunk> _read = [];
    private PendingChunk? _last;
    private int _maxRecords = node.Sizes.FirstRead;

    /// <summary>Reads the next group and prepares it, in the background.</summary>
    /// <returns>The group; it has no chunks when the lane has no more.</returns>
    /// <exception cref="UnknownOperationException">The next job's operation is not known to this program.</exception>
    public Task<ChunkGroup> ReadAsync(CancellationToken cancellationToken) => Task.Run(
        async () =>
        {
            if (_read.Count == 0)
            {
                foreach (var pending in await node.Store.ReadAheadAsync(lease, _last, _maxRecords, cancellationToken))
                    _read.Enqueue(pending);
            }

            var (chunks, operations) = TakeGroup();
            return ChunkGroup.Prepare(chunks, operations, node.Logger);
        },
        cancellationToken);

    // Chunks of several operations may share a transaction; then the slowest of them says how many.
    private (List<PendingChunk> Chunks, BulkOperation[] Operations) TakeGroup()
    {
        List<PendingChunk> chunks = [];
        List<BulkOperation> operations = [];
        var (records, bytes, maxRecords) = (0L, 0L, int.MaxValue);
        while (_read.TryPeek(out var pending))
        {
            var operation = node.Operations.Find(pending.Job.Type);
            if (operation is null && chunks.Count == 0)
                throw new UnknownOperationException(pending.Job.Type);
            // What comes before an operation that is gone can be applied all the same.
            if (operation is null)
                break;
            maxRecords = Math.Min(maxRecords, node.Sizes.Of(operation).MaxRecords);
            records += pending.Chunk.RecordCount;
            bytes += pending.Chunk.Payload.Length;
            if (chunks.Count > 0 && (records > maxRecords || bytes > MaxGroupBytes))
                break;
            _maxRecords = maxRecords;
            _last = _read.Dequeue();
            chunks.Add(_last);
            operations.Add(operation);
        }

        return (chunks, [.. operations]);
    }
}

/// <summary>A job waits for an operation that this program does not have: an older or newer one accepted it.</summary>
internal sealed class UnknownOperationException(string type)
    : Exception($"This program has no operation '{type}'. Its jobs wait until a program that has it serves their lane.");
