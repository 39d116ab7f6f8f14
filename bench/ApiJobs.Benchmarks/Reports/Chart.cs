using System.Globalization;
using System.Security;
using System.Text;
using ApiJobs.Benchmarks.Measuring;

namespace ApiJobs.Benchmarks.Reports;

/// <summary>Horizontal bars as SVG, readable on light and dark pages.</summary>
internal static class Chart
{
    private const int Width = 1_020, LabelWidth = 440, BarWidth = 330, RowHeight = 26, Top = 44;

    private const string Style = """
        text{font:13px system-ui,sans-serif;fill:#24292f}.title{font-weight:600;font-size:15px}.bar{fill:#4c78a8}.met{fill:#3a8f5c}.missed{fill:#c9573f}
        .spread,.goal{stroke:#24292f;stroke-width:1.5}.goal{stroke-dasharray:4 3}
        @media (prefers-color-scheme:dark){text{fill:#e6edf3}.spread,.goal{stroke:#e6edf3}}
        """;

    // Beyond this many times its goal a bar tells nothing more.
    private const double MaxScore = 2;

    /// <summary>A row's figures with the spread of their rounds; bars of one unit share a scale.</summary>
    public static string OfFigures(ResultFile result)
    {
        var largest = result.Figures.GroupBy(figure => figure.Unit).ToDictionary(unit => unit.Key, unit => unit.Max(figure => figure.Max));
        var bars = result.Figures.Select((figure, index) =>
        {
            double X(double value) => value / largest[figure.Unit] * BarWidth;
            return Bar(index, figure.Name, X(figure.Median), "bar", figure.Text)
                + (figure.Rounds.Count == 1 ? "" : Line("spread", LabelWidth + X(figure.Min), LabelWidth + X(figure.Max), MiddleOf(index)));
        });
        return Draw(result.Title, result.Figures.Count, string.Concat(bars));
    }

    /// <summary>Every comparison that has a goal: how much of it is reached.</summary>
    public static string OfGoals(IEnumerable<ResultFile> results)
    {
        var goals = results.SelectMany(result => result.Comparisons, (result, comparison) => (result.Row, Comparison: comparison))
            .Where(goal => goal.Comparison.Score is not null).ToList();
        var bars = goals.Select((goal, index) => Bar(
            index, $"{goal.Row}: {goal.Comparison.Name}", Math.Min(goal.Comparison.Score!.Value, MaxScore) / MaxScore * BarWidth,
            goal.Comparison.Verdict, $"{Numbers.Format(goal.Comparison.Median)} (goal {goal.Comparison.Goal})"));
        var goalX = LabelWidth + (BarWidth / MaxScore);
        var goalLine = string.Create(CultureInfo.InvariantCulture, $"<line class='goal' x1='{goalX:0.#}' x2='{goalX:0.#}' y1='{Top - 8}' y2='{Top + (goals.Count * RowHeight)}'/>");
        return Draw("The goals (dashed) and the figures; more is better, cut off at twice the goal", goals.Count, string.Concat(bars) + goalLine, RowHeight);
    }

    private static string Draw(string title, int rows, string content, int space = 10) => $"""
        <svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {Width} {Top + (rows * RowHeight) + space}' role='img' aria-label='{Escape(title)}'>
        <style>{Style}</style>
        <text class='title' x='8' y='22'>{Escape(title)}</text>
        {content}</svg>

        """;

    private static string Bar(int index, string label, double length, string kind, string value)
    {
        var text = new StringBuilder();
        var y = Top + (index * RowHeight);
        text.Append($"<text x='{LabelWidth - 10}' y='{MiddleOf(index) + 4}' text-anchor='end'>{Escape(label)}</text>\n");
        text.Append(CultureInfo.InvariantCulture, $"<rect class='{kind}' x='{LabelWidth}' y='{y + 5}' width='{Math.Max(1, length):0.#}' height='{RowHeight - 10}' rx='2'/>\n");
        text.Append($"<text x='{LabelWidth + BarWidth + 10}' y='{MiddleOf(index) + 4}'>{Escape(value)}</text>\n");
        return text.ToString();
    }

    private static string Line(string kind, double from, double to, int y) =>
        string.Create(CultureInfo.InvariantCulture, $"<line class='{kind}' x1='{from:0.#}' x2='{to:0.#}' y1='{y}' y2='{y}'/>\n");

    private static int MiddleOf(int index) => Top + (index * RowHeight) + (RowHeight / 2);

    private static string Escape(string text) => SecurityElement.Escape(text);
}
