using ApiJobs.AspNetCore.Answers;
using ApiJobs.AspNetCore.Requests;
using ApiJobs.Resources;

namespace ApiJobs.AspNetCore.Resources;

/// <summary>Brings a filter's text into the canonical form that its field's values are stored in.</summary>
internal static class FilterValue
{
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
