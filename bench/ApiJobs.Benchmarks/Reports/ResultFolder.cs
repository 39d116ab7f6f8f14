using System.Text;
using ApiJobs.Benchmarks.Rows;

namespace ApiJobs.Benchmarks.Reports;

/// <summary>Where results are kept: a JSON file and a chart for each row, and the table of all that have been measured.</summary>
internal sealed class ResultFolder(string path)
{
    public string Path => path;

    private static readonly string[] Header = ["row", "what is compared", "median (spread)", "goal", ""];

    /// <summary>Keeps a row's result, in place of an earlier one.</summary>
    public void Keep(ResultFile result)
    {
        Directory.CreateDirectory(System.IO.Path.Combine(path, "results"));
        Directory.CreateDirectory(System.IO.Path.Combine(path, "charts"));
        result.Write(ResultPath(result.Row));
        File.WriteAllText(System.IO.Path.Combine(path, "charts", $"{result.Row}.svg"), Chart.OfFigures(result));
        WriteTable();
    }

    /// <summary>The table of ratios against their goals, for a terminal.</summary>
    public static string ForTerminal(IEnumerable<ResultFile> results)
    {
        var lines = results.SelectMany(Lines).Prepend(Header).ToList();
        var widths = Enumerable.Range(0, Header.Length).Select(column => lines.Max(line => line[column].Length)).ToArray();
        return string.Join('\n', lines.Select(line => string.Join("  ", line.Zip(widths, (cell, width) => cell.PadRight(width))).TrimEnd()));
    }

    private string ResultPath(string row) => System.IO.Path.Combine(path, "results", $"{row}.json");

    private void WriteTable()
    {
        var results = AllRows.InOrder.Select(row => ResultFile.Read(ResultPath(row.Name))).OfType<ResultFile>().ToList();
        var text = new StringBuilder("# Results\n\nWritten by `dotnet run -c Release --project bench/ApiJobs.Benchmarks`; what the rows mean is in the [README](README.md).\n\n");
        text.Append("![Every goal, and how far the figures are](charts/goals.svg)\n\n");
        AppendLine(text, Header);
        AppendLine(text, ["---", "---", "---:", "---", "---"]);
        foreach (var line in results.SelectMany(Lines))
            AppendLine(text, line);
        foreach (var machine in results.GroupBy(result => result.Machine.Describe()))
            text.Append($"\nMeasured on {machine.Key}: {string.Join(", ", machine.Select(result => $"{result.Row} ({result.MeasuredAt:yyyy-MM-dd}{(result.Quick ? ", quick" : "")})"))}.\n");
        foreach (var result in results)
            AppendDetails(text, result);
        File.WriteAllText(System.IO.Path.Combine(path, "results.md"), text.ToString());
        File.WriteAllText(System.IO.Path.Combine(path, "charts", "goals.svg"), Chart.OfGoals(results));
    }

    private static void AppendDetails(StringBuilder text, ResultFile result)
    {
        text.Append($"\n## {result.Row}\n\n{result.Title}\n\n![{result.Title}](charts/{result.Row}.svg)\n\n");
        foreach (var figure in result.Figures)
            text.Append($"- {figure.Name}: {figure.Text}\n");
        foreach (var (name, value) in result.Settings)
            text.Append($"- {name}: {value}\n");
        foreach (var note in result.Notes)
            text.Append($"\n{note}\n");
    }

    private static IEnumerable<string[]> Lines(ResultFile result) => result.Comparisons.Select(comparison =>
        (string[])[result.Row + (result.Quick ? " (quick)" : ""), comparison.Name, comparison.Text, comparison.Goal ?? "", comparison.Verdict]);

    private static void AppendLine(StringBuilder text, IEnumerable<string> cells) => text.Append($"| {string.Join(" | ", cells)} |\n");
}
