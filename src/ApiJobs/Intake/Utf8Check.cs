using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace ApiJobs.Intake;

/// <summary>Finds bytes that are not UTF-8, which a JSON reader does not look for inside strings.</summary>
internal static class Utf8Check
{
    /// <summary>The most bytes one character takes.</summary>
    public const int CharacterBytesMax = 4;

    /// <summary>The index of the first byte of the first sequence that is not UTF-8, or -1.</summary>
    /// <param name="bytes">Bytes that begin at a character's start.</param>
    /// <param name="mayBeCut">Whether a character that is cut off by the end counts as valid, because more bytes may follow.</param>
    public static int IndexOfInvalid(ReadOnlySpan<byte> bytes, bool mayBeCut)
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
