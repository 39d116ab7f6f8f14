using ApiJobs.AspNetCore.Requests;
using ApiJobs.Records;
using Microsoft.AspNetCore.Http;

namespace ApiJobs.AspNetCore.Jobs;

/// <summary>Which of a job's records a request asks for, and what of them.</summary>
internal sealed record RecordsQuery
{
    public const int DefaultLimit = 100;
    private const int MaxLimit = 1_000;
    private const int MaxCodes = 50;
    private const string RecordName = "record";

    private static readonly string[] OutcomeNames = [.. Enum.GetValues<RecordOutcome>().Select(NameOf)];

    private static readonly QueryParameter OutcomeParameter = new(
        "outcome", $"Only records with one of these outcomes, separated by commas: {string.Join(", ", OutcomeNames)}.")
    { Values = OutcomeNames, IsList = true };

    private static readonly QueryParameter CodeParameter = new(
        "code", "Only records with an error of one of these codes, separated by commas.")
    { IsList = true, Pattern = "^[a-z][a-z0-9_]*$" };

    private static readonly QueryParameter LimitParameter = new(
        "limit", $"The most records to show, 1 to {MaxLimit}. There may be fewer, and still a next page. "
        + $"Unless given, application/json shows {DefaultLimit}, and the other media types show all.")
    { Kind = QueryValueKind.Number, Range = (1, MaxLimit) };

    private static readonly QueryParameter CursorParameter = new(
        "cursor", "Where to read on, as the Link header with rel=\"next\" of the page before says.");

    private static readonly QueryParameter IncludeParameter = new("include", "'record' shows each record as it was sent, too.") { Values = [RecordName], IsList = true };

    private static readonly QueryParameter RawParameter = new(
        "raw", "'true' leaves text/csv without the apostrophes in front of cells that a spreadsheet would run.")
    { Kind = QueryValueKind.Flag };

    public static IReadOnlyList<QueryParameter> Parameters { get; } =
        [OutcomeParameter, CodeParameter, LimitParameter, CursorParameter, IncludeParameter, RawParameter];

    private IReadOnlyCollection<string> Outcomes { get; init; } = [];

    private HashSet<string> Codes { get; init; } = [];

    /// <summary>The most records of a page; null for a page of the usual size, or for all.</summary>
    public int? Limit { get; private init; }

    public string? Cursor { get; private init; }

    public bool IncludesRecord { get; private init; }

    public bool IsRaw { get; private init; }

    /// <exception cref="Answers.ProblemException">A parameter has a value that cannot be meant.</exception>
    public static RecordsQuery Read(HttpRequest request) => new()
    {
        Outcomes = OutcomeParameter.Names(request),
        Codes = ReadCodes(request),
        Limit = LimitParameter.Number(request),
        Cursor = CursorParameter.Text(request),
        IncludesRecord = IncludeParameter.Names(request).Count > 0,
        IsRaw = RawParameter.IsTrue(request),
    };

    public bool Matches(RecordResult record) =>
        (Outcomes.Count == 0 || Outcomes.Contains(NameOf(record.Outcome)))
        && (Codes.Count == 0 || record.Errors.Any(error => Codes.Contains(error.Code)));

    /// <summary>The query of the next page, by the same choice.</summary>
    public string Next(RecordCursor cursor) => string.Concat(
        "?", Outcomes.Count == 0 ? "" : $"outcome={string.Join(',', Outcomes)}&", Codes.Count == 0 ? "" : $"code={string.Join(',', Codes)}&",
        IncludesRecord ? $"include={RecordName}&" : "", IsRaw ? "raw=true&" : "", $"limit={Limit ?? DefaultLimit}&cursor={cursor}");

    /// <summary>An outcome's name on the wire.</summary>
    public static string NameOf(RecordOutcome outcome) => outcome switch
    {
        RecordOutcome.Unprocessed => "unprocessed",
        RecordOutcome.Created => "created",
        RecordOutcome.Updated => "updated",
        RecordOutcome.Unchanged => "unchanged",
        RecordOutcome.Failed => "failed",
        _ => throw new ArgumentOutOfRangeException(nameof(outcome), outcome, "There is no such outcome."),
    };

    // Operations may have codes of their own, so that none is known not to exist; but all are snake_case names.
    private static HashSet<string> ReadCodes(HttpRequest request)
    {
        if (CodeParameter.Text(request) is not { } text)
            return [];
        var codes = text.Split(',', StringSplitOptions.TrimEntries).ToHashSet(StringComparer.Ordinal);
        if (codes.Count > MaxCodes)
            throw QueryParameter.Invalid($"'code' names {codes.Count} codes; send at most {MaxCodes}.");
        return codes.FirstOrDefault(code => !IsCode(code)) is { } wrong
            ? throw QueryParameter.Invalid($"'code' has '{QueryParameter.Shown(wrong)}', which is no code; codes are snake_case names, as {RecordErrorCodes.NotFound}.")
            : codes;
    }

    private static bool IsCode(string text) =>
        text.Length is > 0 and <= JobRecord.MaxCodeLength && char.IsAsciiLetterLower(text[0])
        && text.All(character => char.IsAsciiLetterLower(character) || char.IsAsciiDigit(character) || character == '_');
}
