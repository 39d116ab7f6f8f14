using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace ApiJobs.Resources;

/// <summary>The one form in which the value of a field is compared and handed to stores (<see cref="FieldType"/>).</summary>
public static class CanonicalText
{
    /// <summary>How a date is written.</summary>
    public const string DateFormat = "yyyy-MM-dd";

    /// <summary>Brings a value's text into its canonical form.</summary>
    /// <param name="type">The field's type. A map has no text of its own; none is read for it.</param>
    /// <param name="text">The value as sent.</param>
    /// <param name="canonical">The canonical form; null if there is none.</param>
    /// <returns><see langword="false"/> if the text is no value of the type.</returns>
    public static bool TryRead(FieldType type, string text, [NotNullWhen(true)] out string? canonical)
    {
        ArgumentNullException.ThrowIfNull(text);
        canonical = type switch
        {
            FieldType.Text => text,
            FieldType.Uuid when UuidText.TryRead(text, out var id) => id.ToString("D"),
            FieldType.Date when DateOnly.TryParseExact(text, DateFormat, CultureInfo.InvariantCulture, DateTimeStyles.None, out _) => text,
            FieldType.Integer when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) =>
                number.ToString(CultureInfo.InvariantCulture),
            FieldType.Boolean when text is "true" or "false" => text,
            _ => null,
        };
        return canonical is not null;
    }
}
