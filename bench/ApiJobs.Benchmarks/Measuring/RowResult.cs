namespace ApiJobs.Benchmarks.Measuring;

/// <summary>What a row measured.</summary>
/// <param name="Settings">What it was measured with, by name: numbers of records, clients, companies.</param>
/// <param name="Figures">The figures, in the order of the chart.</param>
/// <param name="Comparisons">What they are measured by.</param>
/// <param name="Notes">Evidence in words, such as a query plan.</param>
internal sealed record RowResult(
    IReadOnlyDictionary<string, string> Settings, IReadOnlyList<Figure> Figures, IReadOnlyList<Comparison> Comparisons, IReadOnlyList<string> Notes);

/// <summary>One row of the table of figures.</summary>
/// <param name="Name">Its name on the command line.</param>
/// <param name="Title">What it measures, in one line.</param>
/// <param name="RunAsync">Measures it.</param>
internal sealed record Row(string Name, string Title, Func<Bench, Task<RowResult>> RunAsync);
