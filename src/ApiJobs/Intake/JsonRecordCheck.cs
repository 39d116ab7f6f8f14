using System.Globalization;
using System.Text.Json;

namespace ApiJobs.Intake;

/// <summary>Says what is wrong with bytes that should have been a record. Runs once, on the body's last record, so clarity goes before speed.</summary>
/// <remarks>
/// The bytes are read again from the record's start, so the answer does not depend on how the body was split into reads.
/// Of several faults the one with the smallest offset is named.
/// </remarks>
internal static class JsonRecordCheck
{
    /// <summary>The bytes after a fault that must have been read, where the body has them, before the fault is worded.</summary>
    public const int LookaheadBytes = Excerpt.BytesMax + 1;

    /// <summary>The fault of a record in which the JSON reader found a syntax error or a depth above the limit.</summary>
    /// <param name="bytes">What has been read from the record's start on.</param>
    /// <param name="depthMax">The deepest nesting allowed in the record, the record itself counted as 1.</param>
    /// <param name="options">The limits.</param>
    /// <param name="start">The position of the record's first byte.</param>
    /// <param name="faultBytes">The fault's index in <paramref name="bytes"/>.</param>
    public static RequestFaultException Broken(
        ReadOnlySpan<byte> bytes, int depthMax, IntakeOptions options, BodyPosition start, out int faultBytes)
    {
        var (fault, exception) = IndexOfSyntaxError(bytes, depthMax);
        faultBytes = Math.Min(fault, options.MaxRecordBytes);
        if (fault >= options.MaxRecordBytes) return TooLarge(bytes, options, start);
        // The character at the fault itself may be the one that is not UTF-8.
        if (Utf8Check.Fault(bytes[..Math.Min(bytes.Length, fault + Utf8Check.CharacterBytesMax)], start, fault) is { } invalid) return invalid;

        var at = start.After(bytes[..fault]);
        var (further, _) = IndexOfSyntaxError(bytes, depthMax + 1);
        return further != fault
            ? at.Fault(RequestFaultCodes.TooDeep,
                $"The JSON nests deeper than {options.MaxDepth} levels at {at}; the body's outermost array or object is the first level. Flatten the record, or raise `Intake:MaxDepth`.")
            : at.Fault(RequestFaultCodes.MalformedBody,
                $"The JSON is broken at {at}: {Reason(bytes, fault)}. Correct it there and send the whole request again; nothing of it was stored.",
                exception);
    }

    /// <summary>The fault of a record that goes on beyond the most bytes allowed.</summary>
    public static RequestFaultException TooLarge(ReadOnlySpan<byte> bytes, IntakeOptions options, BodyPosition start)
    {
        var allowed = bytes[..Math.Min(bytes.Length, options.MaxRecordBytes)];
        return Utf8Check.Fault(allowed, start, allowed.Length) ?? start.Fault(RequestFaultCodes.RecordTooLarge, string.Create(CultureInfo.InvariantCulture,
            $"The record that starts at {start} is larger than {options.MaxRecordBytes:N0} bytes. Send it smaller, or raise `Intake:MaxRecordBytes`."));
    }

    /// <summary>The fault of a record that the body's end cuts off.</summary>
    public static RequestFaultException CutOff(ReadOnlySpan<byte> bytes, BodyPosition start)
    {
        if (Utf8Check.Fault(bytes, start, bytes.Length) is { } invalid) return invalid;
        var at = start.After(bytes);
        return at.Fault(RequestFaultCodes.MalformedBody,
            $"The body is cut off at {at}, in the middle of a record. It was broken off on its way or written incompletely: send the whole request again.");
    }

    /// <summary>Why the JSON reader stopped at a byte, in words that help whoever wrote the body.</summary>
    public static string Reason(ReadOnlySpan<byte> bytes, int index)
    {
        if (index >= bytes.Length) return "something is missing";
        var before = bytes[..index].TrimEnd(" \t\r\n"u8);
        return bytes[index] switch
        {
            0 => "a zero byte stands here. If the body is UTF-16, write it in UTF-8",
            < 0x20 => string.Create(CultureInfo.InvariantCulture,
                $"the control character 0x{bytes[index]:X2} may not stand here; inside a text write it as an escape such as \\n or \\u{(int)bytes[index]:X4}"),
            (byte)'}' or (byte)']' when before.EndsWith(","u8) => $"a comma before {Excerpt.Of(bytes[index..])} is one too many",
            (byte)'\'' => $"{Excerpt.Of(bytes[index..])} begins with a single quote, and JSON has only double quotes",
            (byte)'/' => $"{Excerpt.Of(bytes[index..])} looks like a comment, and JSON has none",
            _ => $"{Excerpt.Of(bytes[index..])} was not expected here",
        };
    }

    private static (int Index, JsonException? Exception) IndexOfSyntaxError(ReadOnlySpan<byte> bytes, int depthMax)
    {
        var reader = new Utf8JsonReader(bytes, isFinalBlock: false, new JsonReaderState(new JsonReaderOptions { MaxDepth = depthMax }));
        try
        {
            while (reader.Read())
                if (reader.CurrentDepth == 0 && reader.TokenType == JsonTokenType.EndObject) break;
            return (bytes.Length, null);
        }
        catch (JsonException exception)
        {
            var lineStart = 0;
            for (var line = exception.LineNumber ?? 0; line > 0; line--)
                lineStart += bytes[lineStart..].IndexOf((byte)'\n') + 1;
            return (Math.Min(bytes.Length, lineStart + (int)(exception.BytePositionInLine ?? 0)), exception);
        }
    }
}
