using System.Buffers.Binary;
using System.IO.Hashing;

namespace ApiJobs.Resources;

/// <summary>The ids the engine makes for records that bring none.</summary>
/// <remarks>
/// An id is derived from the job and the record's index, not drawn: a chunk that is applied again after a crash makes
/// the same ids, and a record's result can show its id although none was stored with it. It is a UUID v7 (RFC 9562) with
/// the job's time and the index as its counter, so the rows of a job stand side by side in the index of the table.
/// </remarks>
internal static class MadeIds
{
    public static Guid Make(Guid jobId, long index)
    {
        Span<byte> job = stackalloc byte[16], id = stackalloc byte[16];
        jobId.TryWriteBytes(job, bigEndian: true, out _);

        // 48 bits of the job's time; 4 of version and 12 of the index; 2 of variant; then 20 of the index and 42 that only this job has.
        var jobBits = XxHash64.HashToUInt64(job) ^ (ulong)(index >> 32);
        job[..6].CopyTo(id);
        BinaryPrimitives.WriteUInt16BigEndian(id[6..], (ushort)(0x7000 | ((index >> 20) & 0xFFF)));
        BinaryPrimitives.WriteUInt64BigEndian(
            id[8..], 0x8000_0000_0000_0000UL | (((ulong)index & 0xF_FFFF) << 42) | (jobBits & 0x3FF_FFFF_FFFFUL));
        return new Guid(id, bigEndian: true);
    }
}
