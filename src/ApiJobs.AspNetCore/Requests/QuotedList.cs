namespace ApiJobs.AspNetCore.Requests;

/// <summary>Reads headers that are lists, where a separator between quotation marks is none (RFC 9110, section 5.6).</summary>
internal static class QuotedList
{
    /// <summary>Cuts a text at a separator. Whitespace around the parts, and parts without anything else, are left out.</summary>
    public static IEnumerable<string> Split(string? text, char separator)
    {
        if (text is null)
            yield break;
        var (begin, isQuoted) = (0, false);
        for (var i = 0; i <= text.Length; i++)
        {
            if (i < text.Length && text[i] == '"')
                isQuoted = !isQuoted;
            else if (i < text.Length && isQuoted && text[i] == '\\')
                i++;
            if (i < text.Length && (isQuoted || text[i] != separator))
                continue;
            var part = text[begin..Math.Min(i, text.Length)].Trim();
            begin = i + 1;
            if (part.Length > 0)
                yield return part;
        }
    }

    /// <summary>A name and its value, without the quotation marks around it; an empty value is the same as none.</summary>
    public static (string Name, string Value) Pair(string part)
    {
        var equals = part.IndexOf('=', StringComparison.Ordinal);
        if (equals < 0)
            return (part, "");
        var value = part[(equals + 1)..].Trim();
        return (part[..equals].Trim(), value.Length >= 2 && value[0] == '"' && value[^1] == '"' ? value[1..^1] : value);
    }
}
