using System.Diagnostics.CodeAnalysis;

namespace ApiJobs.Resources;

/// <summary>Reads UUIDs as callers write them: in records, in paths, in filters, in claims.</summary>
public static class UuidText
{
    private const int Length = 36;

    /// <summary>Reads 36 characters, hexadecimal digits of either case with hyphens in their places (RFC 9562), and nothing else.</summary>
    /// <returns><see langword="false"/> if the text is not exactly that.</returns>
    public static bool TryRead([NotNullWhen(true)] string? text, out Guid id)
    {
        // The framework trims white space and takes signs and 0x among the digits; what it would write differently is no UUID here.
        Span<char> written = stackalloc char[Length];
        if (Guid.TryParseExact(text, "D", out id) && id.TryFormat(written, out _) && text.AsSpan().Equals(written, StringComparison.OrdinalIgnoreCase))
            return true;
        id = default;
        return false;
    }

    /// <summary>Reads a text that has been checked before, such as a value in canonical form.</summary>
    /// <exception cref="FormatException">The text is not a UUID after all.</exception>
    public static Guid Read(string text) =>
        TryRead(text, out var id) ? id : throw new FormatException("The text is not a UUID of 36 characters.");
}
