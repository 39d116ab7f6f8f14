using ApiJobs.AspNetCore.Answers;
using ApiJobs.AspNetCore.Requests;
using ApiJobs.Resources;

namespace ApiJobs.AspNetCore.Resources;

/// <summary>Brings a filter's text into the canonical form that its field's values are stored in.</summary>
internal static class FilterValue
{
    /// <summary>The parameter that lists rows by a field.</summary>
    public static QueryParameter Parameter(Field field) => new(field.Name, $"Only rows with exactly this {field.Name}.")
    {
        Kind = field.Type switch
        {
            FieldType.Uuid => QueryValueKind.Id,
            FieldType.Date => QueryValueKind.Date,
            FieldType.Boolean => QueryValueKind.Flag,
            _ => QueryValueKind.Text,
        },
        // Whole numbers have 64 bits, more than the range of a number parameter.
        Pattern = field.Type == FieldType.Integer ? "^-?[0-9]+$" : null,
    };

    /// <exception cref="ProblemException">The text is not a value of the field's type.</exception>
    public static string Parse(Field field, string text) =>
        CanonicalText.TryRead(field.Type, text, out var canonical)
            ? canonical
            : throw QueryParameter.Invalid($"'{field.Name}' is '{QueryParameter.Shown(text)}'; send {Expected(field)}.");

    private static string Expected(Field field) => field.Type switch
    {
        FieldType.Uuid => "a UUID",
        FieldType.Date => "a date as YYYY-MM-DD",
        FieldType.Integer => "a whole number",
        FieldType.Boolean => "true or false",
        _ => throw new NotSupportedException($"Rows cannot be listed by '{field.Name}': a {field.Type} has no single value."),
    };
}
