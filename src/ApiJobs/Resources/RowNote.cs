using System.Buffers;
using System.Text;

namespace ApiJobs.Resources;

/// <summary>What a rehearsal has come to with a row: the values that it would have written.</summary>
/// <remarks>
/// Kept as bytes: whether the row is new, then name and value of each field, each with its length in front. By name, because a program
/// with other fields may go on with the rehearsal.
/// </remarks>
internal sealed class RowNote(Resource resource, bool isNew)
{
    private const byte New = 1;

    private readonly string?[] _values = new string?[resource.Fields.Count];

    /// <summary>Whether the rehearsal made the row: fields without a value here have none.</summary>
    public bool IsNew => isNew;

    /// <summary>The fields that the rehearsal set.</summary>
    public ulong Fields { get; private set; }

    public string? this[int field] => _values[field];

    /// <summary>Reads a note.</summary>
    public static RowNote Read(Resource resource, ReadOnlySpan<byte> content)
    {
        var note = new RowNote(resource, content[0] == New);
        for (content = content[1..]; !content.IsEmpty;)
        {
            var name = TakeText(ref content);
            var value = TakeText(ref content);
            if (resource.IndexOf(name!) is >= 0 and var field)
                note.Set(field, value);
        }

        return note;
    }

    /// <summary>Notes the values of some fields.</summary>
    public void Set(IReadOnlyList<string?> values, ulong fields)
    {
        foreach (var field in Resource.IndexesIn(fields))
            Set(field, values[field]);
    }

    /// <summary>The row as it would be.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="row">The row as it is; null if there is none.</param>
    /// <param name="fields">The fields that were read of it.</param>
    /// <param name="now">When rows are made that the rehearsal makes.</param>
    /// <returns>Null if the row would not exist.</returns>
    public ResourceRow? Over(Guid id, ResourceRow? row, ulong fields, DateTimeOffset now)
    {
        if (row is null && !isNew)
            return null;
        row ??= new(id, new string?[_values.Length], now, now);
        foreach (var field in Resource.IndexesIn(fields & Fields))
            row.Values[field] = _values[field];
        return row;
    }

    /// <summary>Writes the note.</summary>
    public void WriteTo(ArrayBufferWriter<byte> content)
    {
        content.GetSpan(1)[0] = isNew ? New : (byte)0;
        content.Advance(1);
        foreach (var field in Resource.IndexesIn(Fields))
        {
            WriteText(content, resource.Fields[field].Name);
            WriteText(content, _values[field]);
        }
    }

    private void Set(int field, string? value)
    {
        _values[field] = value;
        Fields |= 1UL << field;
    }

    // The length plus one, seven bits a byte and the lowest first; zero is no text.
    private static void WriteText(ArrayBufferWriter<byte> content, string? text)
    {
        const int MaxLengthBytes = 5;
        var length = text is null ? 0 : Encoding.UTF8.GetByteCount(text) + 1;
        var span = content.GetSpan(MaxLengthBytes + length);
        var written = 0;
        for (var rest = (uint)length; ; rest >>= 7)
        {
            span[written++] = (byte)(rest < 0x80 ? rest : rest | 0x80);
            if (rest < 0x80)
                break;
        }

        if (text is not null)
            written += Encoding.UTF8.GetBytes(text, span[written..]);
        content.Advance(written);
    }

    private static string? TakeText(ref ReadOnlySpan<byte> content)
    {
        var (length, read) = (0, 0);
        for (var shift = 0; ; shift += 7)
        {
            var next = content[read++];
            length |= (next & 0x7F) << shift;
            if (next < 0x80)
                break;
        }

        content = content[read..];
        if (length == 0)
            return null;
        var text = Encoding.UTF8.GetString(content[..(length - 1)]);
        content = content[(length - 1)..];
        return text;
    }
}
