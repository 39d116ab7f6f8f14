using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;
using ApiJobs.Records;

namespace ApiJobs.Intake;

/// <summary>Reads a body of comma-separated values with a header row (<c>text/csv</c>, RFC 4180).</summary>
/// <remarks>
/// Each row becomes a JSON object of texts: <c>{"header":"cell"}</c>. An empty cell leaves its field out; a cell equal to
/// <see cref="IntakeOptions.CsvClearToken"/> becomes null. A dotted header, <c>meta.colour</c>, is a member of the map <c>meta</c>.
/// A quote in a cell that does not begin with one is part of its text. Lines end in LF or CRLF; blank lines are skipped; a row with fewer cells than the header has leaves the rest out, as spreadsheets do.
/// </remarks>
public sealed class CsvRecordReader : BodyRecordReader
{
    private readonly byte[] _clearToken;
    private readonly bool _isCorrection;
    private readonly CsvRow _row = new();
    private ArrayBufferWriter<byte> _record = new(1_024);
    private readonly Utf8JsonWriter _writer;
    private byte[] _unescaped = [];
    private CsvHeader? _header;
    private long _line = 1;
    private long? _headerLine;
    private long? _recordLine;

    /// <summary>Makes a reader of a body that stays the caller's.</summary>
    public CsvRecordReader(Stream body, IntakeOptions options) : this(body, options, isCorrection: false)
    {
    }

    /// <summary>Makes a reader of a body that stays the caller's.</summary>
    /// <param name="body">The body.</param>
    /// <param name="options">The limits.</param>
    /// <param name="isCorrection">
    /// Whether it may be a list of results, corrected: columns that begin with <c>_</c> are left out, and the apostrophes of <see cref="SpreadsheetText"/> taken away.
    /// </param>
    public CsvRecordReader(Stream body, IntakeOptions options, bool isCorrection) : base(body, options)
    {
        _isCorrection = isCorrection;
        _clearToken = Encoding.UTF8.GetBytes(options.CsvClearToken);
        // The cells are checked before they are written, and their text needs no escapes for HTML.
        _writer = new Utf8JsonWriter(_record, new JsonWriterOptions { SkipValidation = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
    }

    /// <inheritdoc/>
    public override IReadOnlyList<string>? Header => _header?.Members.ConvertAll(member => member.Name.Value);

    /// <inheritdoc/>
    public override long? Line => _recordLine;

    /// <inheritdoc/>
    internal override IReadOnlyList<string>? Columns => _header?.Columns;

    /// <inheritdoc/>
    public override long? HeaderLine => _headerLine;

    private BodyPosition RowStart => new(Window.Offset, _header is null ? null : Index, _line);

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await _writer.DisposeAsync();
        await base.DisposeAsync();
    }

    private protected override Step Advance()
    {
        ForgetLargeRecord();
        while (true)
        {
            var unread = Window.Unread;
            if (Window.Offset == 0 && "\uFEFF"u8.StartsWith(unread[..Math.Min(unread.Length, 3)]))
            {
                if (unread.Length < 3 && !Window.AtEnd) return NeedsMore(3);
                if (unread.Length >= 3) Window.Consume(3);
            }
            unread = Window.Unread;
            if (unread.IsEmpty) return Window.AtEnd ? End() : NeedsMore(1);

            switch (_row.Read(unread, Window.AtEnd))
            {
                case CsvRow.Progress.NeedsMore:
                    return RowGoesOn(unread);
                case CsvRow.Progress.Broken:
                    var neededBytes = Math.Min(_row.ContentBytes, Options.MaxRecordBytes) + JsonRecordCheck.LookaheadBytes;
                    return Window.AtEnd || unread.Length >= neededBytes ? throw Broken(unread) : NeedsMore(neededBytes);
                default:
                    var isRecord = TryReadRecord(unread);
                    _line += unread[.._row.TotalBytes].Count((byte)'\n');
                    Window.Consume(_row.TotalBytes);
                    _row.Clear();
                    if (isRecord) return Step.Record;
                    break;
            }
        }
    }

    private Step RowGoesOn(ReadOnlySpan<byte> unread)
    {
        // Two bytes more than the limit may be the line end of a row that is just not too long.
        if (unread.Length > Options.MaxRecordBytes + 2) throw TooLarge(unread);
        if (Window.AtEnd)
        {
            var quote = RowStart.After(unread[.._row.NextCellStart]);
            throw Utf8Check.Fault(unread, RowStart, unread.Length) ?? quote.Fault(RequestFaultCodes.MalformedBody,
                $"The quote that opens at {quote} is never closed; the body ends within it. Close it, and double each quote inside a cell; if the body was broken off on its way, send the whole request again.");
        }
        // The cell that is cut off is read again from its start, so wait until it has doubled: however slowly it trickles in, the work stays linear.
        return NeedsMore(Math.Min(unread.Length + Math.Max(1, unread.Length - _row.NextCellStart), Options.MaxRecordBytes + 3));
    }

    private Step End()
    {
        var at = new BodyPosition(Window.Offset, null, null);
        if (_header is null)
            throw at.Fault(RequestFaultCodes.MalformedBody, $"The body is empty; it ends at {at}. Send a header row with the names of the fields, then a row a record.");
        if (Index == 0)
            throw at.Fault(RequestFaultCodes.NoRecords, $"The body has a header row but no records; it ends at {at}. Send at least one row.");
        return EndOfBody();
    }

    /// <summary>Makes the row the current record, or the header.</summary>
    /// <returns><see langword="false"/> if it is the header or blank.</returns>
    private bool TryReadRecord(ReadOnlySpan<byte> unread)
    {
        var row = unread[.._row.ContentBytes];
        if (row.IsEmpty) return false;
        if (row.Length > Options.MaxRecordBytes) throw TooLarge(row);
        if (!Utf8.IsValid(row)) throw Utf8Check.Fault(row, RowStart, row.Length, mayBeCut: false)!;
        if (_header is null)
        {
            (_header, _headerLine) = (ReadHeader(row), _line);
            return false;
        }

        CheckRecordsMax(RowStart);
        if (_row.Cells.Length > _header.ColumnCount)
        {
            var extra = RowStart.After(row[.._row.Cells[_header.ColumnCount].Start]);
            throw extra.Fault(RequestFaultCodes.MalformedBody, string.Create(CultureInfo.InvariantCulture,
                $"The row has {_row.Cells.Length:N0} cells, but the header has {_header.ColumnCount:N0}; the first without a name is at {extra}. Put cells that hold commas in quotes, or name every column."));
        }
        WriteRecord(row, _header);
        if (_record.WrittenCount > Options.MaxRecordBytes) throw TooLarge(row);
        Current = _record.WrittenMemory;
        _recordLine = _line;
        Index++;
        return true;
    }

    private CsvHeader ReadHeader(ReadOnlySpan<byte> row)
    {
        if (OtherSeparator(row) is { } separator)
            throw RowStart.Fault(RequestFaultCodes.WrongShape,
                $"The columns are separated by {separator}, as the header at {RowStart} shows. Separate them by commas, and put cells that hold commas in quotes.");
        var names = new List<string?>(_row.Cells.Length);
        foreach (var cell in _row.Cells) names.Add(NameOf(Text(row, cell)));
        var (header, fault) = CsvHeader.Create(names, out var column);
        if (header is not null) return header;

        var at = RowStart.After(row[.._row.Cells[column].Start]);
        throw at.Fault(RequestFaultCodes.WrongShape, string.Create(CultureInfo.InvariantCulture,
            $"Column {column + 1:N0} of the header, {Excerpt.Of(Encoding.UTF8.GetBytes(names[column]!))} at {at}, {fault}. Give every column the name of a field, each once; `meta.colour` names a member of the map `meta`."));
    }

    /// <summary>What spreadsheets write where they do not write commas, if the header has more of it than of commas.</summary>
    private string? OtherSeparator(ReadOnlySpan<byte> row)
    {
        var (semicolons, tabs) = (0, 0);
        foreach (var cell in _row.Cells)
        {
            // What stands in quotes is text.
            if (cell.Start > 0 && row[cell.Start - 1] == (byte)'"') continue;
            semicolons += row.Slice(cell.Start, cell.Bytes).Count((byte)';');
            tabs += row.Slice(cell.Start, cell.Bytes).Count((byte)'\t');
        }
        var commas = _row.Cells.Length - 1;
        return semicolons > commas ? "semicolons" : tabs > commas ? "tabs" : null;
    }

    // What a large record took is not held while the next one is waited for.
    private void ForgetLargeRecord()
    {
        if (_unescaped.Length > WindowBuffers.SmallBytes) _unescaped = [];
        if (_record.Capacity <= WindowBuffers.SmallBytes) return;
        Current = default;
        _record = new(1_024);
        _writer.Reset(_record);
    }

    private void WriteRecord(ReadOnlySpan<byte> row, CsvHeader header)
    {
        _record.ResetWrittenCount();
        _writer.Reset();
        _writer.WriteStartObject();
        foreach (var member in header.Members)
        {
            if (member.Column >= 0)
            {
                WriteMember(row, member);
                continue;
            }
            var isBegun = false;
            foreach (var entry in member.Entries)
            {
                if (entry.Column >= _row.Cells.Length || _row.Cells[entry.Column].Bytes == 0) continue;
                if (!isBegun) _writer.WriteStartObject(member.Name);
                isBegun = true;
                WriteMember(row, entry);
            }
            if (isBegun) _writer.WriteEndObject();
        }
        _writer.WriteEndObject();
        _writer.Flush();
    }

    private void WriteMember(ReadOnlySpan<byte> row, CsvHeader.Member member)
    {
        if (member.Column >= _row.Cells.Length || _row.Cells[member.Column].Bytes == 0) return;
        var text = Text(row, _row.Cells[member.Column]);
        if (text.SequenceEqual(_clearToken)) _writer.WriteNull(member.Name);
        else _writer.WriteString(member.Name, Meant(text));
    }

    /// <returns>A column's name; null if it is one that the list of results added.</returns>
    private string? NameOf(ReadOnlySpan<byte> text) => !_isCorrection ? Encoding.UTF8.GetString(text)
        : text.StartsWith("_"u8) ? null
        : Encoding.UTF8.GetString(SpreadsheetText.NameWithoutApostrophe(text, _clearToken));

    private ReadOnlySpan<byte> Meant(ReadOnlySpan<byte> text) => _isCorrection ? SpreadsheetText.WithoutApostrophe(text, _clearToken) : text;

    private ReadOnlySpan<byte> Text(ReadOnlySpan<byte> row, CsvRow.Cell cell)
    {
        var text = row.Slice(cell.Start, cell.Bytes);
        if (!cell.IsEscaped) return text;
        if (_unescaped.Length < text.Length) _unescaped = new byte[Math.Max(text.Length, 2 * _unescaped.Length)];
        var length = 0;
        while (text.IndexOf((byte)'"') is >= 0 and var quote)
        {
            text[..(quote + 1)].CopyTo(_unescaped.AsSpan(length));
            length += quote + 1;
            text = text[(quote + 2)..];
        }
        text.CopyTo(_unescaped.AsSpan(length));
        return _unescaped.AsSpan(0, length + text.Length);
    }

    private RequestFaultException Broken(ReadOnlySpan<byte> unread)
    {
        var index = _row.ContentBytes;
        if (index >= Options.MaxRecordBytes) return TooLarge(unread);
        if (Utf8Check.Fault(unread, RowStart, index) is { } invalid) return invalid;
        var at = RowStart.After(unread[..index]);
        var reason = unread[index] switch
        {
            (byte)'\r' => "a carriage return stands without a line feed. End lines with LF or CRLF, and put cells that hold it in quotes",
            _ => $"the cell's closing quote is followed by {Excerpt.Of(unread[index..])}. Double each quote inside a quoted cell",
        };
        return at.Fault(RequestFaultCodes.MalformedBody, $"The CSV is broken at {at}: {reason}. Then send the whole request again; nothing of it was stored.");
    }

    private RequestFaultException TooLarge(ReadOnlySpan<byte> row)
    {
        var allowed = row[..Math.Min(row.Length, Options.MaxRecordBytes)];
        return Utf8Check.Fault(allowed, RowStart, allowed.Length) ?? RowStart.Fault(RequestFaultCodes.RecordTooLarge, string.Create(CultureInfo.InvariantCulture,
            $"The row that starts at {RowStart} is larger than {Options.MaxRecordBytes:N0} bytes, as sent or as JSON. Look for a quote that is not closed; else send it smaller, or raise `Intake:MaxRecordBytes`."));
    }
}
