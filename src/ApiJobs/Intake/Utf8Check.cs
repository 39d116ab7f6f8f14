using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace ApiJobs.Intake;

/// <summary>Finds bytes that are not UTF-8, which a JSON reader does not look for inside strings.</summary>
internal static class Utf8Check
{
    /// <summary>The most bytes one character takes.</summary>
    public const int CharacterBytesMax = 4;

    /// <summary>The fault of bytes that are not UTF-8; null if they are.</summary>
    /// <param name="bytes">The bytes to check.</param>
    /// <param name="start">The position of the first of them.</param>
    /// <param name="last">The largest index of interest; what lies beyond is left to another fault.</param>
    /// <param name="mayBeCut">Whether a character that the end cuts off is left to another fault too.</param>
    public static RequestFaultException? Fault(ReadOnlySpan<byte> bytes, BodyPosition start, int last, bool mayBeCut = true)
    {
        var index = IndexOfInvalid(bytes, mayBeCut);
        if (index < 0 || index > last) return null;
        var at = start.After(bytes[..index]);
        var guess = bytes[index] switch
        {
            0xFE or 0xFF when at.ByteOffset == 0 => "It looks like UTF-16",
            >= 0xA0 => "It looks like Latin-1 or Windows-1252",
            _ => "The text is damaged, or in another encoding",
        };
        return at.Fault(RequestFaultCodes.InvalidUtf8, string.Create(CultureInfo.InvariantCulture,
            $"The byte 0x{bytes[index]:X2} at {at} is not UTF-8. {guess}: write the body in UTF-8 and send the whole request again."));
    }

    private static int IndexOfInvalid(ReadOnlySpan<byte> bytes, bool mayBeCut)
    {
        if (Utf8.IsValid(bytes)) return -1;
        var index = 0;
        while (index < bytes.Length)
        {
            switch (Rune.DecodeFromUtf8(bytes[index..], out _, out var length))
            {
                case OperationStatus.Done: index += length; break;
                case OperationStatus.NeedMoreData when mayBeCut: return -1;
                default: return index;
            }
        }
        return -1;
    }
}
