using System.CommandLine;
using System.Diagnostics;
using ApiJobs.Benchmarks.Data;
using ApiJobs.Benchmarks.Measuring;
using ApiJobs.Benchmarks.Reports;
using ApiJobs.Benchmarks.Rows;

namespace ApiJobs.Benchmarks;

/// <summary>The command line: <c>all</c>, <c>list</c>, <c>generate</c>, and a command for each row.</summary>
internal static class CommandLine
{
    private const string Description =
        """
        Measures ApiJobs on this machine: the real server over HTTP, with SQLite and PostgreSQL at full durability,
        beside the raw floor and beside what a team would use instead. What the rows mean is in docs/benchmarks.
        """;

    private static readonly Option<int?> RoundsOption = new("--rounds")
    {
        Description = "How many rounds are measured after the warm-up: 5 unless given, fewer where one takes minutes.",
        Recursive = true,
    };

    private static readonly Option<bool> QuickOption = new("--quick")
    {
        Description = "A small version of everything in a few minutes, to see that it works; its figures mean little.",
        Recursive = true,
    };

    private static readonly Option<string?> OutputOption = new("--output")
    {
        Description = "The folder for results and charts: docs/benchmarks unless given, artifacts/benchmarks with --quick.",
        Recursive = true,
    };

    public static Task<int> RunAsync(string[] args)
    {
        var root = new RootCommand(Description) { RoundsOption, QuickOption, OutputOption };
        root.Add(Measuring("all", "Measure every row and print the table of ratios against the goals.", AllRows.InOrder));
        var list = new Command("list", "List the rows.");
        list.SetAction(_ =>
        {
            foreach (var row in AllRows.InOrder)
                Console.WriteLine($"{row.Name,-30} {row.Title}");
        });
        root.Add(list);
        root.Add(Generating());
        foreach (var row in AllRows.InOrder)
            root.Add(Measuring(row.Name, $"Measure only: {row.Title}.", [row]));
        return root.Parse(args).InvokeAsync(new() { ProcessTerminationTimeout = TimeSpan.FromSeconds(30) });
    }

    private static Command Measuring(string name, string description, IReadOnlyList<Row> rows)
    {
        var command = new Command(name, description);
        command.SetAction((parsed, cancellationToken) =>
        {
            var quick = parsed.GetValue(QuickOption);
            var output = parsed.GetValue(OutputOption) ?? Path.Combine(RepositoryRoot(), quick ? "artifacts/benchmarks" : "docs/benchmarks");
            return MeasureAsync(rows, quick, parsed.GetValue(RoundsOption), new(output), cancellationToken);
        });
        return command;
    }

    private static async Task<int> MeasureAsync(
        IReadOnlyList<Row> rows, bool quick, int? rounds, ResultFolder folder, CancellationToken cancellationToken)
    {
        var machine = Machine.Look();
        Console.WriteLine(machine.Describe());
        if (machine.Doubt() is { } doubt)
            Console.WriteLine($"Careful: {doubt}");

        var results = new List<ResultFile>();
        var failed = new List<string>();
        foreach (var row in rows)
        {
            Console.WriteLine($"\n{row.Name}: {row.Title}");
            var began = Stopwatch.GetTimestamp();
            try
            {
                await using var bench = new Bench(quick, rounds, text => Console.WriteLine($"  {text}"), cancellationToken);
                var result = ResultFile.Of(row, await row.RunAsync(bench), machine, quick, TimeProvider.System.GetUtcNow());
                folder.Keep(result);
                results.Add(result);
                Console.WriteLine($"  done in {Stopwatch.GetElapsedTime(began):m\\:ss}");
            }
            // One row that cannot be measured here must not cost the hours that the others took.
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                failed.Add(row.Name);
                await Console.Error.WriteLineAsync($"  {row.Name} was not measured: {exception}");
            }
        }

        Console.WriteLine($"\n{ResultFolder.ForTerminal(results)}\n\n{machine.Describe()}\nWritten to {folder.Path}");
        if (failed.Count > 0)
            await Console.Error.WriteLineAsync($"Not measured: {string.Join(", ", failed)}");
        return failed.Count == 0 ? 0 : 1;
    }

    private static Command Generating()
    {
        var records = new Option<long>("--records") { Description = "How many records.", DefaultValueFactory = _ => 1_000 };
        var format = new Option<BodyFormat>("--format") { Description = "json or ndjson.", DefaultValueFactory = _ => BodyFormat.Json };
        var seed = new Option<int>("--seed") { Description = "The seed: the same one gives the same records.", DefaultValueFactory = _ => Bench.Seed };
        var unknown = Share("--unknown", "updates of cases that do not exist");
        var unchanged = Share("--unchanged", "updates that change nothing, once the version before is applied");
        var duplicate = Share("--duplicate", "second updates of the case before");
        var bad = Share("--bad", "records that are wrong in themselves");
        var version = new Option<int>("--version-of-notes") { Description = "Which update this is; each version has other notes.", DefaultValueFactory = _ => 1 };
        var kind = new Argument<string>("kind") { Description = "cases or customers (whole records, to create), or updates (of cases' notes)." };
        kind.AcceptOnlyFromAmong("cases", "customers", "updates");

        var command = new Command("generate", "Write made-up data to standard output, as a body to send.")
            { kind, records, format, seed, version, unknown, unchanged, duplicate, bad };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var generator = new CaseGenerator(parsed.GetValue(seed));
            var mix = new Mix(parsed.GetValue(unknown), parsed.GetValue(unchanged), parsed.GetValue(duplicate), parsed.GetValue(bad));
            WriteRecord write = parsed.GetValue(kind) switch
            {
                "cases" => (writer, record) => generator.WriteCase(writer, record),
                "customers" => generator.WriteCustomer,
                _ => (writer, record) => generator.WriteUpdate(writer, record, parsed.GetValue(version), mix),
            };
            using var body = new BulkBody(parsed.GetValue(format), (count, _) => count >= parsed.GetValue(records), write);
            await using var output = Console.OpenStandardOutput();
            await body.WriteToAsync(output, cancellationToken);
            return 0;
        });
        return command;

        static Option<double> Share(string name, string what) => new(name) { Description = $"The share, 0 to 1, of {what}." };
    }

    private static string RepositoryRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "ApiJobs.slnx")))
            folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("Run this from the repository, or say --output.");
    }
}
