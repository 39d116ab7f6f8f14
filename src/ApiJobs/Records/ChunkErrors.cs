using System.IO.Compression;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ApiJobs.Records;

/// <summary>The errors of a chunk's failed records, as they are stored: a JSON array of <c>{"index","key","errors"}</c>, by index, deflated (RFC 1951).</summary>
/// <remarks>A thousand records are mostly wrong in the same few ways. Deflated, their errors take no more than a few times the bytes that were sent.</remarks>
public static class ChunkErrors
{
    /// <summary>The characters of all errors of a chunk, beyond which only the first error of each record is kept.</summary>
    public const int MaxLength = 1 << 20;

    /// <summary>Writes the errors of failed records.</summary>
    /// <returns>What <see cref="Read"/> reads; empty when there are none.</returns>
    public static ReadOnlyMemory<byte> Write(IReadOnlyList<FailedRecord> failures)
    {
        ArgumentNullException.ThrowIfNull(failures);
        if (failures.Count == 0)
            return ReadOnlyMemory<byte>.Empty;
        var stored = new MemoryStream();
        using (var deflate = new DeflateStream(stored, CompressionLevel.Fastest, leaveOpen: true))
            JsonSerializer.Serialize(deflate, Bounded(failures), ChunkErrorsJson.Default.IReadOnlyListFailedRecord);
        return stored.GetBuffer().AsMemory(0, (int)stored.Length);
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    public static IReadOnlyList<FailedRecord> Read(ReadOnlyMemory<byte> errors)
    {
        if (errors.IsEmpty)
            return [];
        using var inflate = new DeflateStream(new MemoryStream(errors.ToArray()), CompressionMode.Decompress);
        return JsonSerializer.Deserialize(inflate, ChunkErrorsJson.Default.IReadOnlyListFailedRecord)!;
    }

    private static List<FailedRecord> Bounded(IReadOnlyList<FailedRecord> failures)
    {
        var room = MaxLength;
        var bounded = new List<FailedRecord>(failures.Count);
        foreach (var failed in failures)
        {
            var kept = 0;
            while (kept < failed.Errors.Count && (kept == 0 || room > 0))
            {
                var (code, message, pointer) = failed.Errors[kept++];
                room -= code.Length + message.Length + pointer.Length;
            }

            bounded.Add(kept == failed.Errors.Count ? failed : failed with { Errors = [.. failed.Errors.Take(kept)] });
        }

        return bounded;
    }
}

/// <summary>A record that was refused.</summary>
/// <param name="Index">Its zero-based index in the request.</param>
/// <param name="Key">Its key as the caller sent it; null if it had none that could be read.</param>
/// <param name="Errors">Why; at least one.</param>
public sealed record FailedRecord(long Index, string? Key, IReadOnlyList<RecordError> Errors);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(IReadOnlyList<FailedRecord>))]
[JsonSerializable(typeof(IReadOnlyList<string>))]
internal sealed partial class ChunkErrorsJson : JsonSerializerContext;
