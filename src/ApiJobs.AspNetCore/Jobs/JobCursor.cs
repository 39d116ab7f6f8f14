using System.Buffers.Binary;
using System.Buffers.Text;
using ApiJobs.AspNetCore.Requests;
using ApiJobs.Jobs;

namespace ApiJobs.AspNetCore.Jobs;

/// <summary>A place among a company's jobs: the last one looked at. Callers get it as opaque text.</summary>
internal static class JobCursor
{
    private const int Bytes = sizeof(long) + 16;
    private const int JobIdVersion = 7;

    private static readonly long LastTime = Microseconds(DateTimeOffset.MaxValue);

    /// <summary>Reads a cursor; none is the newest job.</summary>
    /// <exception cref="Answers.ProblemException">It is not one that <see cref="Write"/> wrote.</exception>
    public static JobPlace? Parse(string? text)
    {
        if (text is null)
            return null;
        Span<byte> bytes = stackalloc byte[Bytes];
        if (Base64Url.IsValid(text, out var length) && length == Bytes && Base64Url.TryDecodeFromChars(text, bytes, out _))
        {
            var microseconds = BinaryPrimitives.ReadInt64BigEndian(bytes);
            var id = new Guid(bytes[sizeof(long)..], bigEndian: true);
            if (microseconds >= 0 && microseconds <= LastTime && id.Version == JobIdVersion)
                return new(DateTimeOffset.UnixEpoch.AddTicks(microseconds * TimeSpan.TicksPerMicrosecond), id);
        }

        throw QueryParameter.Invalid($"'{QueryParameter.Shown(text)}' is not a cursor of a list of jobs; take it from the Link header of the page before.");
    }

    /// <summary>The cursor's text, fit for a URL.</summary>
    public static string Write(JobPlace place)
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        BinaryPrimitives.WriteInt64BigEndian(bytes, Microseconds(place.CreatedAt));
        place.Id.TryWriteBytes(bytes[sizeof(long)..], bigEndian: true, out _);
        return Base64Url.EncodeToString(bytes);
    }

    private static long Microseconds(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
}
