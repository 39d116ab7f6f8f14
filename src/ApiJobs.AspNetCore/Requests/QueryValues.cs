using System.Globalization;
using ApiJobs.AspNetCore.Answers;
using ApiJobs.Resources;
using Microsoft.AspNetCore.Http;

namespace ApiJobs.AspNetCore.Requests;

/// <summary>Query parameters whose text stands for something else.</summary>
internal static class QueryValues
{
    private static readonly string[] TimeFormats =
        [WireTime.Seconds, "yyyy-MM-dd'T'HH:mm:ss'Z'", "yyyy-MM-dd'T'HH:mm:ss.FFFFFF'Z'"];

    /// <summary>The forms in which times are read, for people.</summary>
    public const string TimeForms = "UTC, as YYYY-MM-DD HH:mm:ss or YYYY-MM-DDTHH:mm:ss.ffffffZ";

    /// <summary>An expression for <see cref="TimeForms"/>.</summary>
    public const string TimePattern = @"^\d{4}-\d{2}-\d{2}( \d{2}:\d{2}:\d{2}|T\d{2}:\d{2}:\d{2}(\.\d{1,6})?Z)$";

    /// <summary>The parameter's name, one of its values; null if it was not sent.</summary>
    /// <exception cref="ProblemException">It is another one.</exception>
    public static string? OneOf(this QueryParameter parameter, HttpRequest request) => parameter.OneOf(request, parameter.Values ?? []);

    private static string? OneOf(this QueryParameter parameter, HttpRequest request, IReadOnlyList<string> allowed) => parameter.Text(request) switch
    {
        null => null,
        var text when allowed.Contains(text) => text,
        var other => throw QueryParameter.Invalid(
            $"'{parameter.Name}' is '{QueryParameter.Shown(other)}'. {QueryParameter.Allowed("Values", allowed)}"),
    };

    /// <summary>The parameter as true or false; null if it was not sent.</summary>
    /// <exception cref="ProblemException">It is neither.</exception>
    public static bool? Boolean(this QueryParameter parameter, HttpRequest request) => parameter.OneOf(request, ["true", "false"]) switch
    {
        null => null,
        var text => text == "true",
    };

    /// <summary>The parameter as an id; null if it was not sent.</summary>
    /// <exception cref="ProblemException">It is not one.</exception>
    public static Guid? Id(this QueryParameter parameter, HttpRequest request) => parameter.Text(request) switch
    {
        null => null,
        var text when UuidText.TryRead(text, out var id) => id,
        var other => throw QueryParameter.Invalid($"'{parameter.Name}' is '{QueryParameter.Shown(other)}'; send a UUID."),
    };

    /// <summary>The parameter as a time; null if it was not sent.</summary>
    /// <exception cref="ProblemException">It is not one in <see cref="TimeForms"/>.</exception>
    public static DateTimeOffset? Time(this QueryParameter parameter, HttpRequest request) => parameter.Text(request) switch
    {
        null => null,
        var text when DateTimeOffset.TryParseExact(
            text, TimeFormats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) => time,
        var other => throw QueryParameter.Invalid($"'{parameter.Name}' is '{QueryParameter.Shown(other)}'; send a time in {TimeForms}."),
    };
}
