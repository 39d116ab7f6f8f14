using System.Text;

namespace ApiJobs.Records;

/// <summary>Makes JSON Pointers (RFC 6901): <see cref="RecordError.Pointer"/>. The empty one points to the record as a whole.</summary>
public static class JsonPointer
{
    /// <summary>Points to a member of the record.</summary>
    public static string To(string member)
    {
        ArgumentNullException.ThrowIfNull(member);
        return "/" + member.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);
    }

    /// <summary>Points to a member of a member.</summary>
    public static string To(string member, string inner) => To(member) + To(inner);

    /// <summary>The pointer itself, or the one to its nearest parent that is short enough to keep and can be shown.</summary>
    internal static string Bounded(string pointer, int maxLength)
    {
        while (pointer.Length > maxLength || !ShowableText.IsShowable(pointer))
            pointer = pointer[..Math.Max(0, pointer.LastIndexOf('/'))];
        return pointer;
    }

    /// <summary>The pointer of a path as System.Text.Json writes it: <c>$.a[0]['b.c']</c>. What cannot be read of it is left off.</summary>
    internal static string OfPath(string? path)
    {
        var pointer = new StringBuilder();
        var rest = (path ?? "").AsSpan().TrimStart('$');
        while (!rest.IsEmpty)
        {
            var (open, close) = rest.StartsWith("['") ? ("['", "']") : rest[0] == '[' ? ("[", "]") : (".", "");
            rest = rest[open.Length..];
            var end = close.Length > 0 ? rest.IndexOf(close) : rest.IndexOfAny('.', '[') is >= 0 and var next ? next : rest.Length;
            if (end < 0)
                break;
            pointer.Append(To(rest[..end].ToString()));
            rest = rest[(end + close.Length)..];
        }

        return pointer.ToString();
    }
}
