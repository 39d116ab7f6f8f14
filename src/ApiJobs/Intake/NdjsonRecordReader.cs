using System.Text.Json;
using System.Text.Unicode;

namespace ApiJobs.Intake;

/// <summary>Reads a body of one JSON object a line (<c>application/x-ndjson</c>, <c>application/jsonl</c>).</summary>
/// <remarks>Lines end in LF or CRLF, the last one may end with the body; blank lines are skipped. <see cref="RecordReader.Current"/> is the object exactly as sent.</remarks>
public sealed class NdjsonRecordReader : BodyRecordReader
{
    private readonly JsonReaderState _recordStart;
    private long _line = 1;
    private long? _recordLine;
    private int _searchedBytes;

    /// <summary>Makes a reader of a body that stays the caller's.</summary>
    public NdjsonRecordReader(Stream body, IntakeOptions options) : base(body, options) =>
        _recordStart = new JsonReaderState(new JsonReaderOptions { MaxDepth = options.MaxDepth });

    /// <inheritdoc/>
    public override long? Line => _recordLine;

    private BodyPosition LineStart => new(Window.Offset, Index, _line);

    private protected override Step Advance()
    {
        while (true)
        {
            var unread = Window.Unread;
            if (Window.Offset == 0 && unread.StartsWith("\uFEFF"u8))
            {
                Window.Consume(3);
                _searchedBytes = 0;
                continue;
            }

            var found = unread[_searchedBytes..].IndexOf((byte)'\n');
            if (found < 0 && !Window.AtEnd)
            {
                // One byte more than the limit may be the CR of a line that is just not too long.
                if (unread.Length > Options.MaxRecordBytes + 1) throw JsonRecordCheck.TooLarge(unread, Options, LineStart);
                _searchedBytes = unread.Length;
                return NeedsMore(unread.Length + 1);
            }
            if (unread.IsEmpty) return End();

            var lineBytes = found < 0 ? unread.Length : _searchedBytes + found;
            var consumedBytes = found < 0 ? lineBytes : lineBytes + 1;
            if (lineBytes > 0 && unread[lineBytes - 1] == (byte)'\r') lineBytes--;
            if (lineBytes > Options.MaxRecordBytes) throw JsonRecordCheck.TooLarge(unread[..lineBytes], Options, LineStart);

            var isRecord = TryReadRecord(lineBytes);
            Window.Consume(consumedBytes);
            _searchedBytes = 0;
            _line++;
            if (isRecord) return Step.Record;
        }
    }

    private Step End()
    {
        if (Index == 0)
        {
            var at = new BodyPosition(Window.Offset, null, null);
            throw at.Fault(RequestFaultCodes.NoRecords, $"The body has no records; it ends at {at}. Send at least one JSON object, one a line.");
        }
        return EndOfBody();
    }

    /// <summary>Makes the line's object the current record.</summary>
    /// <returns><see langword="false"/> if the line is blank.</returns>
    private bool TryReadRecord(int lineBytes)
    {
        var line = Window.Peek(lineBytes);
        var start = line.Span.IndexOfAnyExcept(" \t\r"u8);
        if (start < 0) return false;
        var record = line[start..(line.Span.LastIndexOfAnyExcept(" \t\r"u8) + 1)];
        var position = LineStart.After(line.Span[..start]);

        CheckRecordsMax(position);
        CheckRecord(record.Span, position);
        if (!Utf8.IsValid(record.Span)) throw Utf8Check.Fault(record.Span, position, record.Length)!;
        Current = record;
        _recordLine = _line;
        Index++;
        return true;
    }

    private void CheckRecord(ReadOnlySpan<byte> record, BodyPosition position)
    {
        var reader = new Utf8JsonReader(record, isFinalBlock: false, _recordStart);
        try
        {
            if ((!reader.Read() || reader.TokenType != JsonTokenType.StartObject) && record[0] != (byte)'{')
                throw Utf8Check.Fault(record, position, record.Length) ?? position.Fault(RequestFaultCodes.RecordNotObject,
                    $"Every line must be a JSON object, but at {position} stands {Excerpt.Of(record)}. Write one object a line, or send a JSON array as `application/json`.");
            while (reader.Read())
                if (reader.TokenType == JsonTokenType.EndObject && reader.CurrentDepth == 0) break;
        }
        catch (JsonException)
        {
            throw JsonRecordCheck.Broken(record, Options.MaxDepth, Options, position, out _);
        }

        if (reader.TokenType != JsonTokenType.EndObject || reader.CurrentDepth > 0) throw CutOff(record, position);
        var rest = record[(int)reader.BytesConsumed..];
        var space = rest.IndexOfAnyExcept(" \t\r"u8);
        if (space < 0) return;
        var restBytes = rest.Length - space;
        var goesOn = position.After(record[..^restBytes]);
        throw Utf8Check.Fault(record, position, record.Length - restBytes) ?? goesOn.Fault(RequestFaultCodes.MalformedBody,
            $"The record is complete, but its line goes on at {goesOn} with {Excerpt.Of(rest[space..])}. Write one object a line, with nothing between the lines.");
    }

    private static RequestFaultException CutOff(ReadOnlySpan<byte> record, BodyPosition position)
    {
        var at = position.After(record);
        return Utf8Check.Fault(record, position, record.Length) ?? at.Fault(RequestFaultCodes.MalformedBody,
            $"The line ends at {at}, in the middle of a record. Write each object on a line of its own; if the body was broken off on its way, send the whole request again.");
    }
}
