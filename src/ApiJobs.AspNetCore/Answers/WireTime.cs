using System.Globalization;
using System.Text.Json;

namespace ApiJobs.AspNetCore.Answers;

/// <summary>The two forms in which times are written, both UTC.</summary>
internal static class WireTime
{
    /// <summary>The seed's form, whole seconds: <c>2024-02-21 10:21:31</c>.</summary>
    public const string Seconds = "yyyy-MM-dd HH:mm:ss";

    // ISO 8601 with six digits, as the CRM writes them.
    private const string Microseconds = "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'";

    public static void WriteSeconds(this Utf8JsonWriter json, ReadOnlySpan<byte> name, DateTimeOffset? time)
    {
        if (time is { } value)
            Write(json, name, value, Seconds);
        else
            json.WriteNull(name);
    }

    public static void WriteMicroseconds(this Utf8JsonWriter json, ReadOnlySpan<byte> name, DateTimeOffset time) =>
        Write(json, name, time, Microseconds);

    private static void Write(Utf8JsonWriter json, ReadOnlySpan<byte> name, DateTimeOffset time, string format)
    {
        Span<byte> text = stackalloc byte[32];
        time.UtcDateTime.TryFormat(text, out var length, format, CultureInfo.InvariantCulture);
        json.WriteString(name, text[..length]);
    }
}
