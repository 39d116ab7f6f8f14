using System.Buffers;
using System.Globalization;
using System.Text;
using ApiJobs.Records;

namespace ApiJobs.AspNetCore.Jobs;

/// <summary>A header row, then a row a record (RFC 4180). With the request's columns, it can be corrected and sent back.</summary>
/// <param name="columns">The columns of the records as sent; null to leave the records out.</param>
/// <param name="clearToken">The cell that means null.</param>
/// <param name="isRaw">Whether cells are left as they are, whatever a spreadsheet makes of them.</param>
internal sealed class CsvRecordsWriter(RecordColumns? columns, string clearToken, bool isRaw) : RecordsWriter
{
    private readonly byte[] _clearToken = Encoding.UTF8.GetBytes(clearToken);
    private readonly ArrayBufferWriter<byte> _text = new();
    private bool _isRowBegun;

    public override void Begin(IBufferWriter<byte> output)
    {
        if (columns is null)
        {
            foreach (var name in (ReadOnlySpan<string>)["_index", "_line", "_key", "_outcome", "_code", "_field", "_message"])
                Plain(output, name);
        }
        else
        {
            foreach (var name in columns.Names)
                ColumnName(output, name);
            foreach (var name in (ReadOnlySpan<string>)["_index", "_outcome", "_code", "_field", "_message"])
                Plain(output, name);
        }

        EndRow(output);
    }

    public override void Write(IBufferWriter<byte> output, RecordResult record)
    {
        if (columns is not null)
            WriteRecord(output, columns, record.Json);
        Plain(output, record.Index.ToString(CultureInfo.InvariantCulture));
        if (columns is null)
        {
            Plain(output, record.Line?.ToString(CultureInfo.InvariantCulture) ?? "");
            CellOrEmpty(output, record.Key ?? "");
        }

        Plain(output, RecordsQuery.NameOf(record.Outcome));
        var first = record.Errors.Count > 0 ? record.Errors[0] : null;
        CellOrEmpty(output, first?.Code ?? "");
        CellOrEmpty(output, FieldOf(first?.Pointer ?? ""));
        CellOrEmpty(output, string.Join("; ", record.Errors.Select(error => error.Message)));
        EndRow(output);
    }

    /// <summary>A pointer as a header names the field: <c>/meta/colour</c> is <c>meta.colour</c>.</summary>
    private static string FieldOf(string pointer) => pointer.Length == 0
        ? ""
        : pointer[1..].Replace('/', '.').Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);

    private void WriteRecord(IBufferWriter<byte> output, RecordColumns columns, ReadOnlyMemory<byte> json)
    {
        foreach (var (kind, text) in columns.CellsOf(json.Span))
        {
            if (kind == RecordColumns.CellKind.Text)
                Cell(output, text.Span);
            else
                Plain(output, kind == RecordColumns.CellKind.Null ? _clearToken : default);
        }
    }

    private void CellOrEmpty(IBufferWriter<byte> output, string text)
    {
        if (text.Length == 0)
            Plain(output, "");
        else
            Cell(output, text);
    }

    private void ColumnName(IBufferWriter<byte> output, string name)
    {
        _text.ResetWrittenCount();
        Encoding.UTF8.GetBytes(name, _text);
        // What a reader could take for the separator, or for a mark of the file's, is quoted, too.
        Write(
            output, _text.WrittenSpan, hasApostrophe: !isRaw && SpreadsheetText.NameNeedsApostrophe(_text.WrittenSpan, _clearToken),
            isQuoted: _text.WrittenSpan.ContainsAny(";\t"u8) || _text.WrittenSpan.StartsWith("\uFEFF"u8));
    }

    private void Cell(IBufferWriter<byte> output, string text)
    {
        _text.ResetWrittenCount();
        Encoding.UTF8.GetBytes(text, _text);
        Cell(output, _text.WrittenSpan);
    }

    private void Cell(IBufferWriter<byte> output, ReadOnlySpan<byte> text) =>
        Write(output, text, hasApostrophe: !isRaw && SpreadsheetText.NeedsApostrophe(text, _clearToken));

    private void Plain(IBufferWriter<byte> output, string text)
    {
        _text.ResetWrittenCount();
        Encoding.UTF8.GetBytes(text, _text);
        Write(output, _text.WrittenSpan, hasApostrophe: false);
    }

    private void Plain(IBufferWriter<byte> output, ReadOnlySpan<byte> text) => Write(output, text, hasApostrophe: false);

    private void Write(IBufferWriter<byte> output, ReadOnlySpan<byte> text, bool hasApostrophe, bool isQuoted = false)
    {
        if (_isRowBegun)
            output.Write(","u8);
        _isRowBegun = true;
        // Spaces at the ends are quoted, too: some programs cut them off otherwise.
        isQuoted = isQuoted || text.ContainsAny(",\"\r\n"u8) || (!text.IsEmpty && (text[0] == (byte)' ' || text[^1] == (byte)' '));
        if (isQuoted)
            output.Write("\""u8);
        if (hasApostrophe)
            output.Write("'"u8);
        for (int quote; (quote = text.IndexOf((byte)'"')) >= 0; text = text[(quote + 1)..])
        {
            output.Write(text[..(quote + 1)]);
            output.Write("\""u8);
        }

        output.Write(text);
        if (isQuoted)
            output.Write("\""u8);
    }

    private void EndRow(IBufferWriter<byte> output)
    {
        output.Write("\r\n"u8);
        _isRowBegun = false;
    }
}
