namespace ApiJobs.Intake;

/// <summary>The encodings that a bulk request's body may be sent in.</summary>
public static class ContentEncodings
{
    /// <summary>The encodings that <see cref="Open"/> knows, beside <c>identity</c>.</summary>
    public static IReadOnlyList<string> Supported { get; } = ["gzip", "br"];

    /// <summary>Opens a body by its Content-Encoding.</summary>
    /// <param name="contentEncoding">The header's value; null, empty or <c>identity</c> gives the body back as it is.</param>
    /// <param name="body">The body as sent. It stays the caller's; what is opened over it must be disposed of too.</param>
    /// <param name="options">The caps on what it decompresses to: <see cref="IntakeOptions.MaxDecompressedBytes"/>, <see cref="IntakeOptions.MaxCompressionRatio"/>.</param>
    /// <returns>
    /// The body as it was before it was encoded; reading it throws a <see cref="RequestFaultException"/> where the data is damaged, cut off,
    /// goes on after its end, or reaches a cap. Null if the encoding is not supported, or there are several.
    /// </returns>
    public static Stream? Open(string? contentEncoding, Stream body, IntakeOptions options)
    {
        ArgumentNullException.ThrowIfNull(body);
        ArgumentNullException.ThrowIfNull(options);
        return (contentEncoding ?? "").Trim().ToLowerInvariant() switch
        {
            "" or "identity" => body,
            "gzip" or "x-gzip" => new GzipBody(body, options),
            "br" => new BrotliBody(body, options),
            _ => null,
        };
    }
}
