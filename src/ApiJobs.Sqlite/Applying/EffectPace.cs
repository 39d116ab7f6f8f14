using System.Collections.Concurrent;
using ApiJobs.Sqlite.Connections;
using ApiJobs.Storage;

namespace ApiJobs.Sqlite.Applying;

/// <summary>How long the effects of a record take, by type of job: what is quick shares its commit with callers who wait for an answer, and what is slow does not.</summary>
internal sealed class EffectPace(StoreClock clock)
{
    // Chunks with more records than this are never quick, whatever each has taken so far.
    private const int MaxSharedRecords = 100;

    // There are as many types as there are operations; a store may hold jobs of others.
    private const int MaxTypes = 10_000;

    // A tenth of a slice: less than the flush of the commit on many disks.
    private static readonly TimeSpan MaxSharedTime = TimeSpan.FromMilliseconds(10);

    private readonly ConcurrentDictionary<string, TimeSpan> _ofRecord = new(StringComparer.Ordinal);

    /// <summary>The turn of a group. Of a type that was not seen yet nobody knows, so it waits alone once.</summary>
    internal WriterTurn TurnOf(IReadOnlyList<PendingChunk> chunks)
    {
        var (records, expected) = (0L, TimeSpan.Zero);
        foreach (var pending in chunks)
        {
            records += pending.Chunk.RecordCount;
            if (records > MaxSharedRecords || !_ofRecord.TryGetValue(pending.Job.Type, out var ofRecord))
                return WriterTurn.Alone;
            expected += ofRecord * pending.Chunk.RecordCount;
        }

        return expected > MaxSharedTime ? WriterTurn.Alone : WriterTurn.Shared;
    }

    /// <summary>Notes how long the effects take. Those of several types in one group are not told apart: the slowest gives it its pace.</summary>
    internal ApplyChunks Measuring(IReadOnlyList<PendingChunk> chunks, ApplyChunks apply) => async (transaction, cancellationToken) =>
    {
        var began = clock.Elapsed;
        try
        {
            return await apply(transaction, cancellationToken);
        }
        finally
        {
            Observe(chunks, clock.Since(began));
        }
    };

    private void Observe(IReadOnlyList<PendingChunk> chunks, TimeSpan took)
    {
        var ofRecord = took / Math.Max(1, chunks.Sum(pending => (long)pending.Chunk.RecordCount));
        if (_ofRecord.Count >= MaxTypes)
            _ofRecord.Clear();
        string? last = null;
        foreach (var pending in chunks)
        {
            if (pending.Job.Type != last)
                _ofRecord[last = pending.Job.Type] = ofRecord;
        }
    }
}
