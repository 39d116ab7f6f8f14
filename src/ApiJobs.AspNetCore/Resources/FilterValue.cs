using System.Globalization;
using ApiJobs.AspNetCore.Answers;
using ApiJobs.AspNetCore.Requests;
using ApiJobs.Resources;

namespace ApiJobs.AspNetCore.Resources;

/// <summary>Brings a filter's text into the canonical form that its field's values are stored in.</summary>
internal static class FilterValue
{
    /// <exception cref="ProblemException">The text is not a value of the field's type.</exception>
    public static string Parse(Field field, string text) => field.Type switch
    {
        FieldType.Text => text,
        FieldType.Uuid when Guid.TryParseExact(text, "D", out var id) => id.ToString("D"),
        FieldType.Uuid => throw Invalid(field, text, "a UUID"),
        FieldType.Date when DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _) => text,
        FieldType.Date => throw Invalid(field, text, "a date as YYYY-MM-DD"),
        FieldType.Integer when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) =>
            number.ToString(CultureInfo.InvariantCulture),
        FieldType.Integer => throw Invalid(field, text, "a whole number"),
        FieldType.Boolean when text is "true" or "false" => text,
        FieldType.Boolean => throw Invalid(field, text, "true or false"),
        _ => throw new NotSupportedException($"Rows cannot be listed by '{field.Name}': a {field.Type} has no single value."),
    };

    private static ProblemException Invalid(Field field, string text, string expected) =>
        QueryParameter.Invalid($"'{field.Name}' is '{QueryParameter.Shown(text)}'; send {expected}.");
}
