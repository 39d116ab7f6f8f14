using System.Text.Json;
using System.Text.Unicode;

namespace ApiJobs.Intake;

/// <summary>Reads a body that is a JSON array of objects, or an object with exactly one member, the array <c>records</c> (<c>application/json</c>).</summary>
/// <remarks>
/// <see cref="RecordReader.Current"/> is the record exactly as sent. What surrounds the records is read here, a byte at a time;
/// each record is read once by <see cref="Utf8JsonReader"/>, whose state is kept where a record spans reads of the body.
/// </remarks>
public sealed class JsonRecordReader : BodyRecordReader
{
    private const int ListDepth = 1;
    private const int WrappedListDepth = 2;

    // Enough to tell `"records"` from any other name, even with every letter escaped, and to quote what is there instead.
    private const int LookaheadBytes = 64;

    private Place _place = Place.BeforeBody;
    private int _listDepth = ListDepth;

    private JsonReaderState _recordStart;
    private JsonReaderState _recordState;
    private int _recordReadBytes;

    /// <summary>Makes a reader of a body that stays the caller's.</summary>
    public JsonRecordReader(Stream body, IntakeOptions options) : base(body, options)
    {
    }

    private enum Place { BeforeBody, BeforeName, BeforeColon, BeforeList, BeforeFirstRecord, BeforeRecord, InRecord, AfterRecord, AfterList, BeforeExtraName, AfterBody }

    private BodyPosition Here => new(Window.Offset, null, null);

    private BodyPosition HereInRecord => new(Window.Offset, Index, null);

    private int RecordDepthMax => Options.MaxDepth - _listDepth;

    private bool HasLookahead => Window.AtEnd || Window.Unread.Length >= LookaheadBytes;

    private protected override Step Advance()
    {
        while (true)
        {
            if (_place == Place.InRecord) return ReadRecord();
            SkipWhiteSpace();
            if (Window.Unread.IsEmpty)
            {
                if (!Window.AtEnd) return NeedsMore(1);
                if (_place != Place.AfterBody) throw CutOff();
                return EndOfBody();
            }
            if (!TryMoveOn(Window.Unread[0]))
            {
                // What is found instead is worded only when enough of it is there, so that the words are the same for every split of the body.
                if (!HasLookahead) return NeedsMore(LookaheadBytes);
                throw Refusal();
            }
        }
    }

    /// <summary>Reads one byte of what surrounds the records, or a name.</summary>
    /// <returns><see langword="false"/> if it cannot stand here, or more must be read to know.</returns>
    private bool TryMoveOn(byte next) => (_place, next) switch
    {
        (Place.BeforeBody, (byte)'[') => Pass(1, Place.BeforeFirstRecord),
        (Place.BeforeBody, (byte)'{') => Pass(1, Place.BeforeName),
        (Place.BeforeBody, 0xEF) when Window.Offset == 0 && Window.Unread.StartsWith("\uFEFF"u8) => Pass(3, Place.BeforeBody),
        (Place.BeforeName, (byte)'"') when HasLookahead && TryReadRecordsName(out var bytes) => Pass(bytes, Place.BeforeColon),
        (Place.BeforeColon, (byte)':') => Pass(1, Place.BeforeList),
        (Place.BeforeList, (byte)'[') => PassIntoWrappedList(),
        (Place.BeforeFirstRecord or Place.BeforeRecord, (byte)'{') => BeginRecord(),
        (Place.AfterRecord, (byte)',') => Pass(1, Place.BeforeRecord),
        (Place.AfterRecord, (byte)']') => Pass(1, _listDepth == ListDepth ? Place.AfterBody : Place.AfterList),
        (Place.AfterList, (byte)'}') => Pass(1, Place.AfterBody),
        (Place.AfterList, (byte)',') => Pass(1, Place.BeforeExtraName),
        _ => false,
    };

    private bool Pass(int bytes, Place place)
    {
        Window.Consume(bytes);
        _place = place;
        return true;
    }

    private bool PassIntoWrappedList()
    {
        _listDepth = WrappedListDepth;
        return Pass(1, Place.BeforeFirstRecord);
    }

    private bool BeginRecord()
    {
        CheckRecordsMax(HereInRecord);
        if (Index == 0) _recordStart = new JsonReaderState(new JsonReaderOptions { MaxDepth = RecordDepthMax });
        _recordState = _recordStart;
        _recordReadBytes = 0;
        _place = Place.InRecord;
        return true;
    }

    private Step ReadRecord()
    {
        var unread = Window.Unread;
        var reader = new Utf8JsonReader(unread[_recordReadBytes..], isFinalBlock: false, _recordState);
        try
        {
            while (reader.Read())
                if (reader.TokenType == JsonTokenType.EndObject && reader.CurrentDepth == 0)
                    return EndRecord(_recordReadBytes + (int)reader.BytesConsumed);
        }
        catch (JsonException)
        {
            var fault = JsonRecordCheck.Broken(unread, RecordDepthMax, Options, HereInRecord, out var faultBytes);
            var neededBytes = faultBytes + JsonRecordCheck.LookaheadBytes;
            return Window.AtEnd || unread.Length >= neededBytes ? throw fault : NeedsMore(neededBytes);
        }

        if (unread.Length > Options.MaxRecordBytes) throw JsonRecordCheck.TooLarge(unread, Options, HereInRecord);
        if (Window.AtEnd) throw JsonRecordCheck.CutOff(unread, HereInRecord);
        _recordReadBytes += (int)reader.BytesConsumed;
        _recordState = reader.CurrentState;
        // The token that is cut off is read again from its start, so wait until it has doubled: however slowly a long text trickles in, the work stays linear.
        var cutOffBytes = unread.Length - _recordReadBytes;
        return NeedsMore(Math.Min(unread.Length + Math.Max(1, cutOffBytes), Options.MaxRecordBytes + 1));
    }

    private Step EndRecord(int bytes)
    {
        var record = Window.Peek(bytes);
        if (bytes > Options.MaxRecordBytes) throw JsonRecordCheck.TooLarge(record.Span, Options, HereInRecord);
        if (!Utf8.IsValid(record.Span)) throw Utf8Check.Fault(record.Span, HereInRecord, bytes)!;
        Current = record;
        Window.Consume(bytes);
        Index++;
        _place = Place.AfterRecord;
        return Step.Record;
    }

    private void SkipWhiteSpace()
    {
        var unread = Window.Unread;
        var bytes = 0;
        while (bytes < unread.Length && unread[bytes] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t') bytes++;
        if (bytes > 0) Window.Consume(bytes);
    }

    private bool TryReadRecordsName(out int bytes)
    {
        var reader = new Utf8JsonReader(Window.Unread[..Math.Min(Window.Unread.Length, LookaheadBytes)], isFinalBlock: false, default);
        try
        {
            var isRecords = reader.Read() && reader.ValueTextEquals("records"u8);
            bytes = (int)reader.BytesConsumed;
            return isRecords;
        }
        // Half a surrogate pair in the name cannot be compared; it is not `records`.
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            bytes = 0;
            return false;
        }
    }

    /// <summary>The fault of what stands where nothing of its kind may.</summary>
    private RequestFaultException Refusal()
    {
        var unread = Window.Unread[..Math.Min(Window.Unread.Length, LookaheadBytes)];
        // Short of the lookahead, what is there is all there is: then a token may be cut off by the body's end.
        var isValue = IsValueStart(unread, isAll: unread.Length < LookaheadBytes, out var bytes, out var isCutOff);
        // A value that breaks off later is at fault there; what may not stand here at all is at fault from its first byte.
        var mayStandHere = _place is Place.BeforeBody or Place.BeforeList or Place.BeforeFirstRecord or Place.BeforeRecord
            || (_place is Place.BeforeName or Place.BeforeExtraName && unread[0] == (byte)'"');
        var fault = isValue || !mayStandHere ? 0 : bytes;
        var here = _place is Place.BeforeFirstRecord or Place.BeforeRecord ? HereInRecord : Here;
        if (Utf8Check.Fault(unread, here, isValue ? bytes - 1 : fault) is { } invalid) return invalid;
        if (isCutOff && mayStandHere)
        {
            var end = here.After(unread);
            return end.Fault(RequestFaultCodes.MalformedBody,
                $"The body is cut off at {end}, in the middle of {Excerpt.Of(unread)}. It was broken off on its way or written incompletely: send the whole request again.");
        }

        var found = Excerpt.Of(unread);
        var broken = here.After(unread[..fault]);
        return (_place, unread[0]) switch
        {
            (Place.BeforeFirstRecord, (byte)']') => Here.Fault(RequestFaultCodes.NoRecords,
                $"The list of records is empty; it ends at {Here}. Send at least one record."),
            (Place.BeforeName, (byte)'}') => WrongShape("The object has no member `records`."),
            (Place.BeforeBody, _) when isValue => WrongShape($"The body is {found}."),
            (Place.BeforeList, _) when isValue => WrongShape($"`records` is not an array but {found}."),
            (Place.BeforeName, (byte)'"') when isValue => WrongShape($"The object has the member {Excerpt.Of(unread[..bytes])}."),
            (Place.BeforeExtraName, (byte)'"') when isValue => WrongShape(TryReadRecordsName(out _)
                ? "The object has the member `records` twice."
                : $"Beside `records`, the object has the member {Excerpt.Of(unread[..bytes])}."),
            (Place.BeforeFirstRecord or Place.BeforeRecord, _) when isValue => here.Fault(RequestFaultCodes.RecordNotObject,
                $"Every record must be a JSON object, but at {here} stands {found}. Put its values into an object, or take it out."),
            (Place.AfterBody, _) => Here.Fault(RequestFaultCodes.MalformedBody,
                $"The JSON is complete, but the body goes on at {Here} with {found}. Send one JSON value a request, or one object a line as `application/x-ndjson`."),
            _ => broken.Fault(RequestFaultCodes.MalformedBody,
                $"The JSON is broken at {broken}: {JsonRecordCheck.Reason(unread, fault)}, where {Expected()} must stand. Correct it there and send the whole request again; nothing of it was stored."),
        };
    }

    private RequestFaultException WrongShape(string what) => Here.Fault(RequestFaultCodes.WrongShape,
        $"{what} At {Here}, the body is not a list of records. Send a JSON array of objects, or {{\"records\":[…]}} with no other member.");

    private RequestFaultException CutOff() => Here.Fault(RequestFaultCodes.MalformedBody, _place == Place.BeforeBody
        ? $"The body is empty; it ends at {Here}. Send a JSON array of objects, or {{\"records\":[…]}}."
        : $"The body is cut off at {Here}, where {Expected()} must stand. It was broken off on its way or written incompletely: send the whole request again.");

    private string Expected() => _place switch
    {
        Place.BeforeBody => "an array of records",
        Place.BeforeName => "the name \"records\"",
        Place.BeforeColon => "a colon",
        Place.BeforeList => "the array of records",
        Place.BeforeFirstRecord => "a record or `]`",
        Place.BeforeRecord => "a record",
        Place.AfterRecord => "a comma or `]`",
        Place.AfterList or Place.BeforeExtraName => "`}`",
        _ => throw new InvalidOperationException($"Nothing is expected at {_place}."),
    };

    /// <summary>Whether JSON of some type begins here, as far as can be seen.</summary>
    /// <param name="unread">The bytes that are there.</param>
    /// <param name="isAll">Whether the body ends with them.</param>
    /// <param name="bytes">How many of them belong to the value's first token; if it is none, the index of the byte at fault.</param>
    /// <param name="isCutOff">Whether the body ends within the token.</param>
    private static bool IsValueStart(ReadOnlySpan<byte> unread, bool isAll, out int bytes, out bool isCutOff)
    {
        isCutOff = false;
        var reader = new Utf8JsonReader(unread, isFinalBlock: false, default);
        try
        {
            var isWhole = reader.Read();
            bytes = isWhole ? (int)reader.BytesConsumed : unread.Length;
            isCutOff = !isWhole && isAll && !IsNumber(unread);
            return true;
        }
        catch (JsonException exception)
        {
            bytes = (int)(exception.BytePositionInLine ?? 0);
            return false;
        }
    }

    // Of all tokens, only a number may be whole although more of it could follow.
    private static bool IsNumber(ReadOnlySpan<byte> bytes)
    {
        var reader = new Utf8JsonReader(bytes, isFinalBlock: true, default);
        try
        {
            return reader.Read();
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
