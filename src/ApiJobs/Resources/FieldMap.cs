using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace ApiJobs.Resources;

/// <summary>Maps of texts by name in their canonical form, and how one is merged into another.</summary>
internal static class FieldMap
{
    /// <summary>The longest name of a member, in Unicode code points.</summary>
    public const int MaxNameLength = 100;

    /// <summary>The most members a patch may have: it may remove as many as it sets.</summary>
    public static int MaxPatchMembers(Field field) => 2 * field.MaxMembers;

    private static readonly JsonWriterOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes members in the canonical form: no white space, names in ordinal order.</summary>
    public static string Write(SortedList<string, string?> members)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, Compact))
        {
            writer.WriteStartObject();
            foreach (var (name, value) in members)
                writer.WriteString(name, value);
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>Merges a patch into a stored map (RFC 7396).</summary>
    /// <param name="current">The stored map in canonical form, or null.</param>
    /// <param name="patch">The members to set, and with null the ones to remove, in canonical form; null clears the map.</param>
    /// <param name="maxMembers">The most members the result may have.</param>
    /// <param name="merged">The result in canonical form; null when it has no members.</param>
    /// <returns><see langword="false"/> if the result would have too many members.</returns>
    public static bool TryMerge(string? current, string? patch, int maxMembers, out string? merged)
    {
        merged = null;
        if (patch is null)
            return true;
        var members = Read(current);
        foreach (var (name, value) in Read(patch))
        {
            if (value is null)
                members.Remove(name);
            else
                members[name] = value;
        }

        if (members.Count > maxMembers)
            return false;
        merged = members.Count == 0 ? null : Write(members);
        return true;
    }

    private static SortedList<string, string?> Read(string? canonical)
    {
        var members = new SortedList<string, string?>(StringComparer.Ordinal);
        if (canonical is null)
            return members;
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(canonical));
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            reader.Read();
            members.Add(name, reader.GetString());
        }

        return members;
    }
}
