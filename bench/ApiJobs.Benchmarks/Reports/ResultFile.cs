using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using ApiJobs.Benchmarks.Measuring;

namespace ApiJobs.Benchmarks.Reports;

/// <summary>A row's result as it is kept: what was measured, when, on which machine and with what.</summary>
internal sealed record ResultFile(
    string Row, string Title, DateTimeOffset MeasuredAt, bool Quick, Machine Machine, IReadOnlyDictionary<string, string> Settings,
    IReadOnlyList<KeptFigure> Figures, IReadOnlyList<KeptComparison> Comparisons, IReadOnlyList<string> Notes)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.General)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    public static ResultFile Of(Row row, RowResult result, Machine machine, bool quick, DateTimeOffset measuredAt) => new(
        row.Name, row.Title, measuredAt, quick, machine, result.Settings,
        [.. result.Figures.Select(figure => new KeptFigure(figure.Name, figure.Unit, figure.Median, figure.Min, figure.Max, figure.Rounds))],
        [.. result.Comparisons.Select(KeptComparison.Of)],
        result.Notes);

    public static ResultFile? Read(string path) => File.Exists(path) ? JsonSerializer.Deserialize<ResultFile>(File.ReadAllText(path), Json) : null;

    public void Write(string path) => File.WriteAllText(path, JsonSerializer.Serialize(this, Json) + "\n");
}

internal sealed record KeptFigure(string Name, string Unit, double Median, double Min, double Max, IReadOnlyList<double> Rounds)
{
    [JsonIgnore]
    public string Text => $"{Numbers.Format(Median, Min, Max, Rounds.Count)} {Unit}";
}

/// <param name="Name">What is compared.</param>
/// <param name="Median">The median of the rounds.</param>
/// <param name="Min">The least of them.</param>
/// <param name="Max">The largest of them.</param>
/// <param name="Rounds">The ratio in each round.</param>
/// <param name="Goal">The goal as people write it, such as <c>≥ 0.80</c>; null without one.</param>
/// <param name="Score">How far the median is: 1 is the goal reached exactly, more is better; null without a goal.</param>
internal sealed record KeptComparison(string Name, double Median, double Min, double Max, IReadOnlyList<double> Rounds, string? Goal, double? Score)
{
    [JsonIgnore]
    public string Text => Numbers.Format(Median, Min, Max, Rounds.Count);

    [JsonIgnore]
    public string Verdict => Score switch { null => "", >= 1 => "met", _ => "missed" };

    public static KeptComparison Of(Comparison comparison) => new(
        comparison.Name, comparison.Median, comparison.Min, comparison.Max, comparison.Rounds,
        comparison.Goal is { } goal ? $"{(goal.IsUpper ? '≤' : '≥')} {Numbers.Format(goal.Limit)}" : null,
        comparison.Goal?.ScoreOf(comparison.Median));
}
