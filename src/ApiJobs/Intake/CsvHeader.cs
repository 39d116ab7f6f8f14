using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace ApiJobs.Intake;

/// <summary>What the columns of a CSV body are called, and so how a row becomes an object.</summary>
/// <param name="Members">The object's members, in the order of their first columns.</param>
/// <param name="Columns">The names of the columns that are read, in their order.</param>
/// <param name="ColumnCount">The cells of the header row.</param>
internal sealed record CsvHeader(List<CsvHeader.Member> Members, IReadOnlyList<string> Columns, int ColumnCount)
{
    /// <summary>A member of the object: the value of one column, or a map of several.</summary>
    /// <param name="Name">The member's name.</param>
    /// <param name="Column">The index of its column, or -1 for a map.</param>
    /// <param name="Entries">The map's members; empty for a value.</param>
    internal sealed record Member(JsonEncodedText Name, int Column, List<Member> Entries);

    /// <summary>Names the columns: <c>meta.colour</c> becomes the member <c>colour</c> of the map <c>meta</c>.</summary>
    /// <param name="names">The cells of the header row; null for a column that is passed over.</param>
    /// <param name="faultColumn">The index of the column whose name is at fault.</param>
    /// <returns>The header, or a sentence that says what is wrong with one of the names.</returns>
    public static (CsvHeader? Header, string? Fault) Create(IReadOnlyList<string?> names, out int faultColumn)
    {
        var columns = new List<string>(names.Count);
        var members = new List<Member>();
        var byName = new Dictionary<string, Member>(names.Count, StringComparer.Ordinal);
        for (faultColumn = 0; faultColumn < names.Count; faultColumn++)
        {
            if (names[faultColumn] is not { } name)
                continue;
            columns.Add(name);
            var dot = name.IndexOf('.', StringComparison.Ordinal);
            if (string.IsNullOrWhiteSpace(name) || dot == 0 || dot == name.Length - 1)
                return (null, "has no complete name");

            var isNew = true;
            if (dot < 0)
            {
                isNew = byName.TryAdd(name, new Member(Encode(name), faultColumn, []));
                if (isNew) members.Add(byName[name]);
            }
            else
            {
                if (byName.TryAdd(name[..dot], new Member(Encode(name[..dot]), -1, []))) members.Add(byName[name[..dot]]);
                var map = byName[name[..dot]];
                var entry = new Member(Encode(name[(dot + 1)..]), faultColumn, []);
                // A value's name is taken as a whole; a map's entries are told apart by their full, dotted names.
                isNew = map.Column < 0 && byName.TryAdd(name, entry);
                if (isNew) map.Entries.Add(entry);
            }
            if (!isNew) return (null, "has the name of a column before it");
        }
        return (new CsvHeader(members, columns, names.Count), null);
    }

    private static JsonEncodedText Encode(string name) =>
        JsonEncodedText.Encode(Encoding.UTF8.GetBytes(name), JavaScriptEncoder.UnsafeRelaxedJsonEscaping);
}
