using System.Buffers.Binary;
using System.Buffers.Text;
using ApiJobs.AspNetCore.Requests;
using ApiJobs.Jobs;

namespace ApiJobs.AspNetCore.Jobs;

/// <summary>A place among a job's records: the first one not shown yet. Callers get it as opaque text.</summary>
/// <param name="ChunkIndex">The chunk the record is in.</param>
/// <param name="RecordIndex">The record's index in the request.</param>
internal readonly record struct RecordCursor(int ChunkIndex, long RecordIndex)
{
    private const int Bytes = sizeof(int) + sizeof(long);

    /// <summary>Reads a cursor; none is the job's first record.</summary>
    /// <exception cref="Answers.ProblemException">It is not one that <see cref="ToString"/> wrote for this job.</exception>
    public static RecordCursor Parse(string? text, ApiJob job)
    {
        if (text is null)
            return default;
        Span<byte> bytes = stackalloc byte[Bytes];
        if (Base64Url.IsValid(text, out var length) && length == Bytes && Base64Url.TryDecodeFromChars(text, bytes, out _))
        {
            var cursor = new RecordCursor(
                BinaryPrimitives.ReadInt32BigEndian(bytes), BinaryPrimitives.ReadInt64BigEndian(bytes[sizeof(int)..]));
            if (cursor.ChunkIndex >= 0 && cursor.ChunkIndex < job.ChunkCount
                && cursor.RecordIndex >= cursor.ChunkIndex && cursor.RecordIndex < job.TotalRecords)
            {
                return cursor;
            }
        }

        throw QueryParameter.Invalid($"'{QueryParameter.Shown(text)}' is not a cursor of this job; take it from the Link header of the page before.");
    }

    /// <summary>The cursor's text, fit for a URL.</summary>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        BinaryPrimitives.WriteInt32BigEndian(bytes, ChunkIndex);
        BinaryPrimitives.WriteInt64BigEndian(bytes[sizeof(int)..], RecordIndex);
        return Base64Url.EncodeToString(bytes);
    }
}
