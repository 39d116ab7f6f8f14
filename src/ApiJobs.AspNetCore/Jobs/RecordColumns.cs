using System.Buffers;
using System.Text;
using System.Text.Json;
using ApiJobs.AspNetCore.Answers;

namespace ApiJobs.AspNetCore.Jobs;

/// <summary>The columns that records are shown in: a member each, and a column for each member of a map, <c>meta.colour</c>.</summary>
/// <remarks>What CSV cannot say otherwise, a list or a map within a map, stands in its member's cell as JSON.</remarks>
internal sealed class RecordColumns
{
    /// <summary>The most columns that are made up for records that did not come with any.</summary>
    public const int Max = 1_000;

    private readonly Dictionary<string, int> _values = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Dictionary<string, int>> _maps = new(StringComparer.Ordinal);
    private readonly ArrayBufferWriter<byte> _text = new();
    private readonly (CellKind Kind, int Start, int Bytes)[] _cells;

    private RecordColumns(IEnumerable<(string Member, string? Entry)> columns)
    {
        var names = new List<string>();
        foreach (var (member, entry) in columns)
        {
            if (entry is null)
                _values.TryAdd(member, names.Count);
            else if (_maps.TryGetValue(member, out var map))
                map.TryAdd(entry, names.Count);
            else
                _maps.Add(member, new(StringComparer.Ordinal) { [entry] = names.Count });
            names.Add(entry is null ? member : $"{member}.{entry}");
        }

        Names = names;
        _cells = new (CellKind, int, int)[names.Count];
    }

    internal enum CellKind
    {
        /// <summary>The record has no such member.</summary>
        Absent,

        /// <summary>The member is null.</summary>
        Null,

        /// <summary>The member's text, or what it is in JSON.</summary>
        Text,
    }

    public IReadOnlyList<string> Names { get; }

    /// <summary>The columns of a CSV body's header.</summary>
    public static RecordColumns Of(IReadOnlyList<string> header) => new(header.Select(name => name.IndexOf('.', StringComparison.Ordinal) switch
    {
        < 0 => (name, (string?)null),
        var dot => (name[..dot], name[(dot + 1)..]),
    }));

    /// <summary>A record's cells, in the order of the columns; valid until the next record's.</summary>
    public IEnumerable<(CellKind Kind, ReadOnlyMemory<byte> Text)> CellsOf(ReadOnlySpan<byte> json)
    {
        Read(json);
        return _cells.Select(cell => (cell.Kind, _text.WrittenMemory.Slice(cell.Start, cell.Bytes)));
    }

    private void Read(ReadOnlySpan<byte> json)
    {
        Array.Clear(_cells);
        _text.ResetWrittenCount();
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = int.MaxValue });
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = NameOf(ref reader);
            reader.Read();
            if (_values.TryGetValue(name, out var column))
                ReadCell(ref reader, json, column);
            else if (reader.TokenType == JsonTokenType.StartObject && _maps.TryGetValue(name, out var map))
                ReadMap(ref reader, json, map);
            else
                reader.Skip();
        }
    }

    private void ReadMap(ref Utf8JsonReader reader, ReadOnlySpan<byte> json, Dictionary<string, int> map)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var entry = NameOf(ref reader);
            reader.Read();
            if (map.TryGetValue(entry, out var column))
                ReadCell(ref reader, json, column);
            else
                reader.Skip();
        }
    }

    private void ReadCell(ref Utf8JsonReader reader, ReadOnlySpan<byte> json, int column)
    {
        var start = _text.WrittenCount;
        if (reader.TokenType == JsonTokenType.Null)
        {
            _cells[column] = (CellKind.Null, start, 0);
            return;
        }

        var from = (int)reader.TokenStartIndex;
        if (reader.TokenType != JsonTokenType.String || !TryCopyText(ref reader))
        {
            reader.Skip();
            _text.Write(json[from..(int)reader.BytesConsumed]);
        }

        _cells[column] = (CellKind.Text, start, _text.WrittenCount - start);
    }

    // Half a surrogate pair is well-formed JSON and no text: it is shown as it was sent.
    private bool TryCopyText(ref Utf8JsonReader reader)
    {
        try
        {
            _text.Advance(reader.CopyString(_text.GetSpan(Math.Max(1, reader.ValueSpan.Length))));
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    private static string NameOf(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            return Encoding.UTF8.GetString(reader.ValueSpan);
        }
    }

    /// <summary>Finds the columns of records that came without a header: the members that they really have, in the order of their first appearance.</summary>
    internal sealed class Search
    {
        private readonly Dictionary<string, Member> _members = new(StringComparer.Ordinal);
        private readonly List<string> _order = [];
        private int _count;

        /// <exception cref="ProblemException">There are too many columns.</exception>
        public void Add(ReadOnlySpan<byte> json)
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = int.MaxValue });
            reader.Read();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var name = NameOf(ref reader);
                reader.Read();
                if (!_members.TryGetValue(name, out var member))
                {
                    _members.Add(name, member = new());
                    _order.Add(name);
                    _count++;
                }

                Add(ref reader, member);
                if (_count > Max)
                    throw Problems.TooManyColumns.Refusal(
                        $"The records have more than {Max} different members, and a table of them would have a column for each. "
                        + $"Ask for {RecordsFormat.Ndjson.MediaType} instead.");
            }
        }

        public RecordColumns End() => new(_order.SelectMany(name => _members[name] is { IsMap: true } member
            ? member.Entries.Select(entry => (name, (string?)entry))
            : [(name, null)]));

        private void Add(ref Utf8JsonReader reader, Member member)
        {
            if (!member.IsMap || reader.TokenType != JsonTokenType.StartObject)
            {
                Flatten(member);
                reader.Skip();
                return;
            }

            var isEmpty = true;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                isEmpty = false;
                var entry = NameOf(ref reader);
                reader.Read();
                if (entry.Length == 0 || reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
                    Flatten(member);
                reader.Skip();
                if (member.IsMap && member.Known.Add(entry))
                {
                    member.Entries.Add(entry);
                    _count++;
                    if (_count > Max)
                        return;
                }
            }

            if (isEmpty)
                Flatten(member);
        }

        // One record in which the member is no map of values decides for all: a table has one kind of column for it.
        private void Flatten(Member member)
        {
            _count -= member.Entries.Count;
            member.IsMap = false;
            member.Entries.Clear();
            member.Known.Clear();
        }

        private sealed class Member
        {
            public bool IsMap { get; set; } = true;

            public List<string> Entries { get; } = [];

            public HashSet<string> Known { get; } = new(StringComparer.Ordinal);
        }
    }
}
