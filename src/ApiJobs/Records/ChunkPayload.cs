using System.Buffers;
using System.Buffers.Binary;

namespace ApiJobs.Records;

/// <summary>How a chunk's records are laid out in bytes: each a little-endian 32-bit length, then that many bytes of one JSON object in UTF-8.</summary>
public static class ChunkPayload
{
    /// <summary>The bytes in front of each record.</summary>
    public const int PrefixBytes = sizeof(int);

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
        while (!payload.IsEmpty)
        {
            var length = payload.Length < PrefixBytes ? -1 : BinaryPrimitives.ReadInt32LittleEndian(payload.Span);
            if (length < 0 || length > payload.Length - PrefixBytes)
                throw new InvalidDataException("A stored chunk is damaged: a record's length does not fit its payload.");
            yield return payload.Slice(PrefixBytes, length);
            payload = payload[(PrefixBytes + length)..];
        }
    }
}
