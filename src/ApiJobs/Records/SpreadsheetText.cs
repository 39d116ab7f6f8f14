namespace ApiJobs.Records;

/// <summary>Texts as cells that no spreadsheet runs as a formula, and that say all that a record can say in CSV.</summary>
/// <remarks>
/// A text that begins with <c>=</c>, <c>+</c>, <c>-</c>, <c>@</c>, a tab or a carriage return gets an apostrophe in front. So does the text that means null in CSV, and the
/// empty one, which would mean a field left out; and, so that reading is exact, a text that looks like one of these with apostrophes in front already.
/// </remarks>
public static class SpreadsheetText
{
    private const byte Apostrophe = (byte)'\'';

    /// <summary>Whether a text gets an apostrophe in front.</summary>
    /// <param name="text">The text, in UTF-8.</param>
    /// <param name="clearToken">What means null in a cell (<see cref="Intake.IntakeOptions.CsvClearToken"/>), in UTF-8; empty for nothing.</param>
    public static bool NeedsApostrophe(ReadOnlySpan<byte> text, ReadOnlySpan<byte> clearToken)
    {
        var rest = text.TrimStart(Apostrophe);
        return rest.IsEmpty || rest[0] is (byte)'=' or (byte)'+' or (byte)'-' or (byte)'@' or (byte)'\t' or (byte)'\r' || rest.SequenceEqual(clearToken);
    }

    /// <summary>Takes away the apostrophe that <see cref="NeedsApostrophe"/> asked for.</summary>
    /// <returns>The text; another one is returned as it is.</returns>
    /// <inheritdoc cref="NeedsApostrophe" path="/param"/>
    public static ReadOnlySpan<byte> WithoutApostrophe(ReadOnlySpan<byte> text, ReadOnlySpan<byte> clearToken) =>
        text.StartsWith("'"u8) && NeedsApostrophe(text, clearToken) ? text[1..] : text;

    /// <summary>Whether a column's name gets an apostrophe in front: as a text, and if it begins with <c>_</c>, as the columns do that are left out when a table is sent back.</summary>
    /// <inheritdoc cref="NeedsApostrophe" path="/param"/>
    public static bool NameNeedsApostrophe(ReadOnlySpan<byte> text, ReadOnlySpan<byte> clearToken) =>
        text.TrimStart(Apostrophe).StartsWith("_"u8) || NeedsApostrophe(text, clearToken);

    /// <summary>Takes away the apostrophe that <see cref="NameNeedsApostrophe"/> asked for.</summary>
    /// <inheritdoc cref="WithoutApostrophe"/>
    public static ReadOnlySpan<byte> NameWithoutApostrophe(ReadOnlySpan<byte> text, ReadOnlySpan<byte> clearToken) =>
        text.StartsWith("'"u8) && NameNeedsApostrophe(text, clearToken) ? text[1..] : text;
}
