using System.Globalization;
using System.Text;

namespace ApiJobs.Intake;

/// <summary>Shows a few bytes of a body in a message: short, and nothing in it can act on a terminal, a log or a page.</summary>
internal static class Excerpt
{
    /// <summary>The most bytes of the body that are shown.</summary>
    public const int BytesMax = 24;

    /// <summary>The first bytes, between back-quotes; all but printable ASCII is written as <c>\xNN</c>.</summary>
    public static string Of(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder("`");
        foreach (var one in bytes[..Math.Min(bytes.Length, BytesMax)])
        {
            if (one is >= 0x20 and < 0x7F and not (byte)'`' and not (byte)'<' and not (byte)'>') text.Append((char)one);
            else text.Append(CultureInfo.InvariantCulture, $"\\x{one:X2}");
        }
        return text.Append(bytes.Length > BytesMax ? "…`" : "`").ToString();
    }
}
