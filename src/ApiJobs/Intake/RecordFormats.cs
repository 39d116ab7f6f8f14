using System.Net.Http.Headers;

namespace ApiJobs.Intake;

/// <summary>The formats that a bulk request's body may have.</summary>
public static class RecordFormats
{
    /// <summary>The media types that <see cref="Open"/> knows, the usual one first.</summary>
    public static IReadOnlyList<string> MediaTypes { get; } = ["application/json", "application/x-ndjson", "application/jsonl", "text/csv"];

    /// <summary>Makes the reader of a body.</summary>
    /// <param name="contentType">The request's Content-Type, with its parameters.</param>
    /// <param name="body">The body, decompressed; it stays the caller's.</param>
    /// <param name="options">The limits.</param>
    /// <returns>Null if the format is none of <see cref="MediaTypes"/>, or its parameters ask for what is not supported: another charset than UTF-8, CSV without a header row.</returns>
    public static RecordReader? Open(string? contentType, Stream body, IntakeOptions options)
    {
        if (!MediaTypeHeaderValue.TryParse(contentType, out var type)) return null;
        if (type.CharSet?.Trim('"') is { } charset && !charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase)) return null;

        return type.MediaType?.ToLowerInvariant() switch
        {
            "application/json" => new JsonRecordReader(body, options),
            "application/x-ndjson" or "application/jsonl" => new NdjsonRecordReader(body, options),
            "text/csv" when !SaysHeaderIsAbsent(type) => new CsvRecordReader(body, options),
            _ => null,
        };
    }

    // RFC 4180, section 3.
    private static bool SaysHeaderIsAbsent(MediaTypeHeaderValue type) => type.Parameters.Any(parameter =>
        parameter.Name.Equals("header", StringComparison.OrdinalIgnoreCase) && "absent".Equals(parameter.Value?.Trim('"'), StringComparison.OrdinalIgnoreCase));
}
