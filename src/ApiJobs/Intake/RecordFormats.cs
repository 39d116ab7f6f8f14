using System.Net.Http.Headers;

namespace ApiJobs.Intake;

/// <summary>The formats that a bulk request's body may have.</summary>
public static class RecordFormats
{
    /// <summary>The media types that <see cref="Open(string?, Stream, IntakeOptions)"/> knows, the usual one first.</summary>
    public static IReadOnlyList<string> MediaTypes { get; } = ["application/json", "application/x-ndjson", "application/jsonl", "text/csv"];

    /// <summary>Makes the reader of a body.</summary>
    /// <param name="contentType">The request's Content-Type, with its parameters.</param>
    /// <param name="body">The body, decompressed; it stays the caller's.</param>
    /// <param name="options">The limits.</param>
    /// <returns>Null if the format is none of <see cref="MediaTypes"/>, or its parameters ask for what is not supported: another charset than UTF-8, CSV without a header row.</returns>
    public static RecordReader? Open(string? contentType, Stream body, IntakeOptions options) => Open(contentType, body, options, isCorrection: false);

    /// <summary>Makes the reader of a body that may be a list of results, corrected.</summary>
    /// <param name="contentType">The request's Content-Type, with its parameters.</param>
    /// <param name="body">The body, decompressed; it stays the caller's.</param>
    /// <param name="options">The limits.</param>
    /// <param name="isCorrection">Whether the columns and apostrophes that exporting a job's records as CSV adds are taken away again; other formats have none.</param>
    /// <inheritdoc cref="Open(string?, Stream, IntakeOptions)" path="/returns"/>
    public static RecordReader? Open(string? contentType, Stream body, IntakeOptions options, bool isCorrection)
    {
        return FormatOf(contentType) switch
        {
            "application/json" => new JsonRecordReader(body, options),
            "application/x-ndjson" or "application/jsonl" => new NdjsonRecordReader(body, options),
            "text/csv" => new CsvRecordReader(body, options, isCorrection),
            _ => null,
        };
    }

    /// <summary>Whether there is a reader for a body.</summary>
    /// <param name="contentType">The request's Content-Type, with its parameters.</param>
    public static bool Knows(string? contentType) => FormatOf(contentType) is not null;

    private static string? FormatOf(string? contentType)
    {
        if (!MediaTypeHeaderValue.TryParse(contentType, out var type)) return null;
        if (type.CharSet?.Trim('"') is { } charset && !charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase)) return null;
        var mediaType = type.MediaType?.ToLowerInvariant();
        return mediaType is not null && MediaTypes.Contains(mediaType) && !(mediaType == "text/csv" && SaysHeaderIsAbsent(type)) ? mediaType : null;
    }

    // RFC 4180, section 3.
    private static bool SaysHeaderIsAbsent(MediaTypeHeaderValue type) => type.Parameters.Any(parameter =>
        parameter.Name.Equals("header", StringComparison.OrdinalIgnoreCase) && "absent".Equals(parameter.Value?.Trim('"'), StringComparison.OrdinalIgnoreCase));
}
