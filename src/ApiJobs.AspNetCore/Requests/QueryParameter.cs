using System.Globalization;
using ApiJobs.AspNetCore.Answers;
using Microsoft.AspNetCore.Http;

namespace ApiJobs.AspNetCore.Requests;

/// <summary>A query parameter of an endpoint. What an endpoint does not have is refused, so that a typing error never changes what is done.</summary>
internal sealed class QueryParameter(string name, string description)
{
    public string Name => name;

    /// <summary>A sentence for people.</summary>
    public string Description => description;

    /// <summary>What its text stands for, for whoever reads the API's description; a text unless said.</summary>
    public QueryValueKind Kind { get; init; }

    /// <summary>The only values it may have; null if there are others, or too many to tell.</summary>
    public IReadOnlyList<string>? Values { get; init; }

    /// <summary>Whether it may have several values, separated by commas.</summary>
    public bool IsList { get; init; }

    /// <summary>The smallest and the largest number.</summary>
    public (int Min, int Max) Range { get; init; } = (int.MinValue, int.MaxValue);

    /// <summary>The number unless another one is sent; null if what is done then has no number.</summary>
    public int? Default { get; init; }

    /// <summary>An expression that its text matches; null for any.</summary>
    public string? Pattern { get; init; }

    /// <summary>The parameter's text.</summary>
    /// <returns>The text, or null if it was not sent.</returns>
    /// <exception cref="ProblemException">It was sent twice, or has a character that no stored text can have.</exception>
    public string? Text(HttpRequest request)
    {
        if (!request.Query.TryGetValue(name, out var values))
            return null;
        if (values.Count != 1)
            throw Invalid($"'{name}' was sent {values.Count} times; send it once.");
        var text = values.ToString();
        return text.Contains('\0', StringComparison.Ordinal) ? throw Invalid($"'{name}' has the character U+0000, which no text here can have.") : text;
    }

    /// <summary>The parameter's whole number, or <see cref="Default"/> if it was not sent.</summary>
    /// <exception cref="ProblemException">It is not a number in <see cref="Range"/>.</exception>
    public int? Number(HttpRequest request)
    {
        if (Text(request) is not { } text)
            return Default;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= Range.Min && number <= Range.Max
            ? number
            : throw Invalid($"'{name}' is '{Shown(text)}'; send a whole number from {Range.Min} to {Range.Max}.");
    }

    /// <summary>Whether the parameter is true; not if it was not sent.</summary>
    /// <exception cref="ProblemException">It is neither true nor false.</exception>
    public bool IsTrue(HttpRequest request) => Text(request) switch
    {
        null or "false" => false,
        "true" => true,
        var text => throw Invalid($"'{name}' is '{Shown(text)}'; send true or false."),
    };

    /// <summary>The parameter's names, separated by commas; all from <see cref="Values"/>.</summary>
    /// <returns>The names, without repetition; empty if it was not sent.</returns>
    /// <exception cref="ProblemException">One is not allowed.</exception>
    public IReadOnlyCollection<string> Names(HttpRequest request)
    {
        if (Text(request) is not { } text)
            return [];
        var allowed = Values ?? [];
        var names = text.Split(',', StringSplitOptions.TrimEntries).ToHashSet(StringComparer.Ordinal);
        return names.FirstOrDefault(other => !allowed.Contains(other)) is { } unknown
            ? throw Invalid($"'{name}' has no '{Shown(unknown)}'. {Allowed("Values", allowed)}")
            : names;
    }

    /// <summary>Makes the refusal of a parameter.</summary>
    public static ProblemException Invalid(string detail) => Problems.InvalidParameter.Refusal(detail);

    /// <summary>Says what may be sent.</summary>
    public static string Allowed(string what, IReadOnlyList<string> allowed) =>
        allowed.Count == 0 ? $"{what} allowed: none." : $"{what} allowed: {string.Join(", ", allowed)}.";

    /// <summary>A value as it may stand in a message.</summary>
    public static string Shown(string value) => value.Length <= 60 ? value : $"{value[..60]}…";
}

/// <summary>What the text of a query parameter stands for.</summary>
internal enum QueryValueKind
{
    Text,
    Number,
    Flag,
    Id,
    Date,
}
