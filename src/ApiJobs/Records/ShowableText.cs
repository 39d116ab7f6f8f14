using System.Text;

namespace ApiJobs.Records;

/// <summary>Text from elsewhere as it may stand in messages, results, logs and either store: on one line, and bounded.</summary>
public static class ShowableText
{
    /// <summary>Makes a text showable.</summary>
    /// <param name="text">Any text: a caller's value, an exception's message.</param>
    /// <param name="maxLength">The most UTF-16 characters of the result; what is cut off ends in <c>…</c>.</param>
    /// <returns>The text; line ends and tabs are spaces, other control characters <c>?</c>, and half a surrogate pair U+FFFD.</returns>
    public static string Of(string text, int maxLength)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxLength, 2);
        if (text.Length > maxLength)
            text = string.Concat(text.AsSpan(0, char.IsHighSurrogate(text[maxLength - 2]) ? maxLength - 2 : maxLength - 1), "…");
        if (IsShowable(text))
            return text;

        var shown = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune.Value is '\t' or '\n' or '\r' or '\u2028' or '\u2029')
                shown.Append(' ');
            else if (Rune.IsControl(rune))
                shown.Append('?');
            else
                shown.Append(rune);
        }

        return shown.ToString();
    }

    /// <summary>Whether a text is showable as it is.</summary>
    public static bool IsShowable(ReadOnlySpan<char> text)
    {
        // Nearly every text is printable ASCII.
        var rest = text.IndexOfAnyExceptInRange(' ', '~');
        for (var i = rest; i >= 0 && i < text.Length; i++)
        {
            if (char.IsControl(text[i]) || text[i] is '\u2028' or '\u2029')
                return false;
            if (!char.IsSurrogate(text[i]))
                continue;
            if (i + 1 == text.Length || !char.IsSurrogatePair(text[i], text[i + 1]))
                return false;
            i++;
        }

        return true;
    }
}
