using System.Text.Json;
using System.Text.Json.Serialization;

namespace ApiJobs.Records;

/// <summary>The errors of a chunk's failed records, as they are stored: a JSON array of <c>{"index","key","errors"}</c>, by index.</summary>
public static class ChunkErrors
{
    /// <summary>Writes the errors of failed records.</summary>
    /// <returns>UTF-8 JSON; empty when there are none.</returns>
    public static ReadOnlyMemory<byte> Write(IReadOnlyList<FailedRecord> failures)
    {
        ArgumentNullException.ThrowIfNull(failures);
        return failures.Count == 0
            ? ReadOnlyMemory<byte>.Empty
            : JsonSerializer.SerializeToUtf8Bytes(failures, ChunkErrorsJson.Default.IReadOnlyListFailedRecord);
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    public static IReadOnlyList<FailedRecord> Read(ReadOnlyMemory<byte> errors) =>
        errors.IsEmpty ? [] : JsonSerializer.Deserialize(errors.Span, ChunkErrorsJson.Default.IReadOnlyListFailedRecord)!;
}

/// <summary>A record that was refused.</summary>
/// <param name="Index">Its zero-based index in the request.</param>
/// <param name="Key">Its key as the caller sent it; null if it had none that could be read.</param>
/// <param name="Errors">Why; at least one.</param>
public sealed record FailedRecord(long Index, string? Key, IReadOnlyList<RecordError> Errors);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(IReadOnlyList<FailedRecord>))]
internal sealed partial class ChunkErrorsJson : JsonSerializerContext;
