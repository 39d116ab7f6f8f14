using System.Buffers;
using System.Buffers.Binary;
using System.Text.Json;

namespace ApiJobs.Records;

/// <summary>
/// How a chunk's records are laid out in bytes: each a little-endian 32-bit length, then that many bytes of one JSON object in UTF-8.
/// A negative length stands before a note on the records that follow, of as many bytes.
/// </summary>
/// <remarks>
/// Notes say where the records stood in their request: the line of the next record, from which the lines are counted on, and in the first
/// chunk the columns of a CSV body. A payload without notes has neither. A reader passes over notes that it does not know.
/// </remarks>
public static class ChunkPayload
{
    /// <summary>The bytes in front of each record.</summary>
    public const int PrefixBytes = sizeof(int);

    private const byte LineNote = 1;
    private const byte ColumnsNote = 2;
    /// <summary>The bytes of a note of a line.</summary>
    internal const int LineNoteBytes = PrefixBytes + 1 + sizeof(long);

    /// <summary>Appends a record to a payload that is being built.</summary>
    public static void Append(IBufferWriter<byte> payload, ReadOnlySpan<byte> record)
    {
        ArgumentNullException.ThrowIfNull(payload);
        var span = payload.GetSpan(PrefixBytes + record.Length);
        BinaryPrimitives.WriteInt32LittleEndian(span, record.Length);
        record.CopyTo(span[PrefixBytes..]);
        payload.Advance(PrefixBytes + record.Length);
    }

    /// <summary>Cuts a payload into its records, without copying.</summary>
    /// <exception cref="InvalidDataException">The payload is not what <see cref="Append"/> writes: the store is damaged.</exception>
    public static IEnumerable<ReadOnlyMemory<byte>> Split(ReadOnlyMemory<byte> payload)
    {
        foreach (var (isNote, bytes) in Parts(payload))
        {
            if (!isNote)
                yield return bytes;
        }
    }

    /// <summary>Notes the one-based line that the next record begins on; the records after it stand on the lines after it, until another note.</summary>
    internal static void AppendLine(IBufferWriter<byte> payload, long line)
    {
        var span = payload.GetSpan(LineNoteBytes);
        BinaryPrimitives.WriteInt32LittleEndian(span, PrefixBytes - LineNoteBytes);
        span[PrefixBytes] = LineNote;
        BinaryPrimitives.WriteInt64LittleEndian(span[(PrefixBytes + 1)..], line);
        payload.Advance(LineNoteBytes);
    }

    /// <summary>Notes the columns of the body, as its header names them.</summary>
    internal static void AppendColumns(IBufferWriter<byte> payload, IReadOnlyList<string> columns)
    {
        var names = JsonSerializer.SerializeToUtf8Bytes(columns, ChunkErrorsJson.Default.IReadOnlyListString);
        var span = payload.GetSpan(PrefixBytes + 1 + names.Length);
        BinaryPrimitives.WriteInt32LittleEndian(span, -(1 + names.Length));
        span[PrefixBytes] = ColumnsNote;
        names.CopyTo(span[(PrefixBytes + 1)..]);
        payload.Advance(PrefixBytes + 1 + names.Length);
    }

    /// <summary>Cuts a payload into its records, each with the line it began on; null where that was not noted.</summary>
    /// <inheritdoc cref="Split" path="/exception"/>
    internal static IEnumerable<(ReadOnlyMemory<byte> Json, long? Line)> SplitWithLines(ReadOnlyMemory<byte> payload)
    {
        long? line = null;
        foreach (var (isNote, bytes) in Parts(payload))
        {
            if (!isNote)
            {
                yield return (bytes, line);
                line++;
            }
            else if (bytes.Length == 1 + sizeof(long) && bytes.Span[0] == LineNote)
            {
                line = BinaryPrimitives.ReadInt64LittleEndian(bytes.Span[1..]);
            }
        }
    }

    /// <summary>The columns that <see cref="AppendColumns"/> noted before the first record; null if it did not.</summary>
    /// <inheritdoc cref="Split" path="/exception"/>
    internal static IReadOnlyList<string>? Columns(ReadOnlyMemory<byte> payload)
    {
        foreach (var (isNote, bytes) in Parts(payload))
        {
            if (!isNote)
                return null;
            if (!bytes.IsEmpty && bytes.Span[0] == ColumnsNote)
                return JsonSerializer.Deserialize(bytes.Span[1..], ChunkErrorsJson.Default.IReadOnlyListString);
        }

        return null;
    }

    private static IEnumerable<(bool IsNote, ReadOnlyMemory<byte> Bytes)> Parts(ReadOnlyMemory<byte> payload)
    {
        while (!payload.IsEmpty)
        {
            var length = payload.Length < PrefixBytes ? int.MinValue : BinaryPrimitives.ReadInt32LittleEndian(payload.Span);
            var bytes = Math.Abs((long)length);
            if (bytes > payload.Length - PrefixBytes || (length < 0 && payload.Span[PrefixBytes] == 0))
                throw new InvalidDataException("A stored chunk is damaged: a record's length does not fit its payload.");
            yield return (length < 0, payload.Slice(PrefixBytes, (int)bytes));
            payload = payload[(PrefixBytes + (int)bytes)..];
        }
    }
}
