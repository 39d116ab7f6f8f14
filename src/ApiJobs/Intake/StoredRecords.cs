using ApiJobs.Jobs;
using ApiJobs.Records;
using ApiJobs.Storage;

namespace ApiJobs.Intake;

/// <summary>Reads the records of a job that has ended, raw as they were sent, so that they can be accepted as another job.</summary>
/// <param name="store">The store.</param>
/// <param name="job">The job; ended, so that its outcomes are final.</param>
/// <param name="isWanted">Which records to give, by what happened to each.</param>
internal sealed class StoredRecords(IJobStore store, ApiJob job, Predicate<RecordOutcome> isWanted) : RecordReader
{
    private const int ChunksAtOnce = 4;

    private readonly Queue<ChunkResult> _read = [];
    private IEnumerator<(ReadOnlyMemory<byte> Json, long? Line)> _records = Enumerable.Empty<(ReadOnlyMemory<byte>, long?)>().GetEnumerator();
    private IReadOnlyList<string>? _columns;
    private int _nextChunk;

    /// <summary>The line of the body that the record was sent in first: whoever corrects it looks there.</summary>
    public override long? Line => _records.Current.Line;

    internal override IReadOnlyList<string>? Columns => _columns;

    /// <inheritdoc/>
    /// <exception cref="RecordsRemovedException">The records have been kept long enough, and are gone.</exception>
    public override async ValueTask<bool> ReadAsync(CancellationToken cancellationToken)
    {
        while (!_records.MoveNext())
        {
            if (!await ReadChunkAsync(cancellationToken))
                return false;
        }

        Current = _records.Current.Json;
        return true;
    }

    public override ValueTask DisposeAsync()
    {
        _records.Dispose();
        return base.DisposeAsync();
    }

    private async ValueTask<bool> ReadChunkAsync(CancellationToken cancellationToken)
    {
        if (_nextChunk == job.ChunkCount)
            return false;
        if (_read.Count == 0)
        {
            foreach (var chunk in await store.ReadResultsAsync(job.CompanyId, job.Id, _nextChunk, ChunksAtOnce, cancellationToken))
                _read.Enqueue(chunk);
        }

        // A sealed job has all its chunks until they are removed, the first ones first.
        if (!_read.TryDequeue(out var next) || next.Chunk.Index != _nextChunk)
            throw new RecordsRemovedException(job.Id);
        if (_nextChunk++ == 0)
            _columns = ChunkPayload.Columns(next.Chunk.Payload);
        _records.Dispose();
        _records = Wanted(next).GetEnumerator();
        return true;
    }

    private IEnumerable<(ReadOnlyMemory<byte> Json, long? Line)> Wanted(ChunkResult result)
    {
        var outcomes = result.Outcomes;
        return ChunkPayload.SplitWithLines(result.Chunk.Payload).Where(
            (_, index) => isWanted(index < outcomes.Length ? (RecordOutcome)outcomes.Span[index] : RecordOutcome.Unprocessed));
    }
}
