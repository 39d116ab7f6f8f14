using System.Buffers;
using System.Runtime.InteropServices;

namespace ApiJobs.Intake;

/// <summary>Cuts one row of CSV (RFC 4180) into its cells, going on where it stopped when more of the row arrives.</summary>
/// <remarks>
/// Written here, and not taken from a library, for two reasons that were measured with Sylvan.Data.Csv 1.4.4: its rows depend on how
/// the body is split into reads (after a quoted CR in the header whole rows are lost, silently), and a long cell that trickles in is
/// read again from its start with each read. Besides, only bytes have the offsets that a fault names.
/// </remarks>
internal sealed class CsvRow
{
    private static readonly SearchValues<byte> CellEnds = SearchValues.Create(",\r\n"u8);

    private readonly List<Cell> _cells = [];

    /// <summary>A cell's place in the row, without its quotes; where it is escaped, its quotes are still doubled.</summary>
    internal readonly record struct Cell(int Start, int Bytes, bool IsEscaped);

    internal enum Progress { NeedsMore, Row, Broken }

    /// <summary>The cells read so far.</summary>
    public ReadOnlySpan<Cell> Cells => CollectionsMarshal.AsSpan(_cells);

    /// <summary>Where the cell that is not complete yet starts, its quote included.</summary>
    public int NextCellStart { get; private set; }

    /// <summary>Whether the cell that is not complete yet is a quoted one.</summary>
    public bool IsInQuotes { get; private set; }

    /// <summary>The row's bytes without its line end; of a broken row, the index of the byte that may not stand there.</summary>
    public int ContentBytes { get; private set; }

    /// <summary>The row's bytes with its line end.</summary>
    public int TotalBytes { get; private set; }

    /// <summary>Forgets the row, to begin another.</summary>
    public void Clear()
    {
        _cells.Clear();
        NextCellStart = 0;
        IsInQuotes = false;
    }

    /// <summary>Reads cells up to the row's end.</summary>
    /// <param name="bytes">The row from its first byte, as far as it has arrived, and perhaps what follows it.</param>
    /// <param name="isAll">Whether nothing follows <paramref name="bytes"/>.</param>
    public Progress Read(ReadOnlySpan<byte> bytes, bool isAll)
    {
        while (true)
        {
            IsInQuotes = NextCellStart < bytes.Length && bytes[NextCellStart] == (byte)'"';
            if (!(IsInQuotes ? TryReadQuoted(bytes, isAll, out var cell, out var end) : TryReadUnquoted(bytes, isAll, out cell, out end)))
                return Progress.NeedsMore;

            switch (end == bytes.Length ? (byte)'\n' : bytes[end])
            {
                case (byte)',':
                    _cells.Add(cell);
                    NextCellStart = end + 1;
                    continue;
                case (byte)'\n':
                    return Complete(cell, end, Math.Min(end + 1, bytes.Length));
                case (byte)'\r' when end + 1 == bytes.Length:
                    return isAll ? Complete(cell, end, end + 1) : Progress.NeedsMore;
                case (byte)'\r' when bytes[end + 1] == (byte)'\n':
                    return Complete(cell, end, end + 2);
                default:
                    ContentBytes = end;
                    return Progress.Broken;
            }
        }
    }

    private Progress Complete(Cell cell, int contentBytes, int totalBytes)
    {
        _cells.Add(cell);
        ContentBytes = contentBytes;
        TotalBytes = totalBytes;
        return Progress.Row;
    }

    private bool TryReadUnquoted(ReadOnlySpan<byte> bytes, bool isAll, out Cell cell, out int end)
    {
        var found = bytes[NextCellStart..].IndexOfAny(CellEnds);
        end = found < 0 ? bytes.Length : NextCellStart + found;
        cell = new Cell(NextCellStart, end - NextCellStart, IsEscaped: false);
        return found >= 0 || isAll;
    }

    private bool TryReadQuoted(ReadOnlySpan<byte> bytes, bool isAll, out Cell cell, out int end)
    {
        var start = NextCellStart + 1;
        var isEscaped = false;
        cell = default;
        end = start;
        while (true)
        {
            var quote = bytes[end..].IndexOf((byte)'"');
            if (quote < 0) return false;
            end += quote + 1;
            if (end == bytes.Length && !isAll) return false;
            if (end == bytes.Length || bytes[end] != (byte)'"') break;
            isEscaped = true;
            end++;
        }
        cell = new Cell(start, end - 1 - start, isEscaped);
        return true;
    }
}
