using System.Buffers;
using ApiJobs.Records;
using ApiJobs.Storage;

namespace ApiJobs.Intake;

/// <summary>Collects the records of a request into one chunk after another.</summary>
internal sealed class ChunkBuilder(IntakeOptions options, int maxRecords = int.MaxValue)
{
    private readonly int _maxRecords = Math.Min(maxRecords, options.ChunkRecords);

    // Two payloads take turns: while the store writes one, the next is filled.
    private readonly ArrayBufferWriter<byte>[] _payloads = [new(), new()];
    private int _chunkIndex;
    private long _firstRecord;
    private int _recordCount;
    private long? _nextLine;

    /// <summary>How many records all chunks have so far.</summary>
    public long TotalRecords => _firstRecord + _recordCount;

    /// <summary>What the payloads of all closed chunks take, in bytes.</summary>
    public long TotalBytes { get; private set; }

    private ArrayBufferWriter<byte> Payload => _payloads[_chunkIndex & 1];

    /// <summary>Whether the chunk must be closed before this record is added.</summary>
    public bool IsFullFor(ReadOnlyMemory<byte> record, long? line = null) =>
        _recordCount >= _maxRecords
        || (_recordCount > 0 && Payload.WrittenCount + (line == _nextLine ? 0 : ChunkPayload.LineNoteBytes) + ChunkPayload.PrefixBytes + record.Length > options.ChunkBytes);

    /// <summary>Adds the record that was read last.</summary>
    public void Add(RecordReader records)
    {
        if (TotalRecords == 0 && records.Columns is { } columns)
            ChunkPayload.AppendColumns(Payload, columns);
        Add(records.Current, records.Line);
    }

    /// <summary>Adds a record.</summary>
    /// <param name="record">One JSON object.</param>
    /// <param name="line">The line of the request that it begins on; null in formats without lines.</param>
    public void Add(ReadOnlyMemory<byte> record, long? line = null)
    {
        if (line is { } begins && line != _nextLine)
            ChunkPayload.AppendLine(Payload, begins);
        _nextLine = line + 1;
        ChunkPayload.Append(Payload, record.Span);
        _recordCount++;
    }

    /// <summary>Closes the chunk and begins the next. Its payload stays valid until the chunk after it is closed.</summary>
    public Chunk Close()
    {
        var chunk = new Chunk(_chunkIndex, _firstRecord, _recordCount, Payload.WrittenMemory);
        TotalBytes += chunk.Payload.Length;
        _chunkIndex++;
        _firstRecord += _recordCount;
        _recordCount = 0;
        _nextLine = null;
        Payload.ResetWrittenCount();
        return chunk;
    }
}
