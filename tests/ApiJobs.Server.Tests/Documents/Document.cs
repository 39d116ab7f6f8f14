using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace ApiJobs.Server.Tests.Documents;

/// <summary>A document that is held to what it says: its bash blocks are run as they stand, and its tables are compared.</summary>
internal static partial class Document
{
    /// <summary>The bash blocks between two markers of a document, in order, each with the text block that comes before the next one: what it writes.</summary>
    public static IReadOnlyList<(string Commands, string? Shown)> StepsOf(string path, string fromMarker, string toMarker)
    {
        var text = Read(path);
        var from = text.IndexOf($"<!-- {fromMarker} -->", StringComparison.Ordinal);
        var to = text.IndexOf($"<!-- {toMarker} -->", StringComparison.Ordinal);
        (from >= 0 && to > from).ShouldBeTrue($"{path} should have the markers {fromMarker} and {toMarker}, in this order.");
        var steps = new List<(string Commands, string? Shown)>();
        foreach (Match block in Block().Matches(text[from..to]))
        {
            if (block.Groups[1].Value == "bash")
            {
                steps.Add((block.Groups[2].Value, null));
                continue;
            }

            (steps.Count > 0 && steps[^1].Shown is null).ShouldBeTrue($"{path} shows what no command wrote:\n{block.Groups[2].Value}");
            steps[^1] = (steps[^1].Commands, block.Groups[2].Value);
        }

        steps.ShouldNotBeEmpty();
        return steps;
    }

    /// <summary>The bash blocks between two markers of a document, in order, as one script.</summary>
    public static string ScriptOf(string path, string fromMarker, string toMarker) =>
        string.Join('\n', StepsOf(path, fromMarker, toMarker).Select(step => step.Commands));

    /// <summary>A document's text.</summary>
    public static string Read(string path) => File.ReadAllText(Path.Combine(Root(), path));

    /// <summary>The C# blocks of a document, in order.</summary>
    public static string[] CSharpIn(string path) => [.. CSharpBlock().Matches(Read(path)).Select(match => match.Groups[1].Value)];

    /// <summary>Runs a script with bash; it ends at the first command that fails.</summary>
    /// <returns>What it wrote.</returns>
    public static async Task<string> RunAsync(string script, CancellationToken cancellationToken)
    {
        using var bash = Process.Start(new ProcessStartInfo("bash", ["-euo", "pipefail", "-c", script])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        try
        {
            var errors = bash.StandardError.ReadToEndAsync(cancellationToken);
            var output = await bash.StandardOutput.ReadToEndAsync(cancellationToken);
            await bash.WaitForExitAsync(cancellationToken);
            bash.ExitCode.ShouldBe(0, $"{output}\n{await errors}");
            return output;
        }
        finally
        {
            bash.Kill(entireProcessTree: true);
        }
    }

    /// <summary>Compares a document with what it should be; where <c>WRITE_DOCUMENTS=1</c> is set, writes it.</summary>
    public static void ShouldBe(string path, string expected, string testClass)
    {
        if (Environment.GetEnvironmentVariable("WRITE_DOCUMENTS") is "1")
            File.WriteAllText(path, expected);
        else
            File.ReadAllText(path).ShouldBe(expected, $"{Path.GetFileName(path)} is not up to date. Write it: WRITE_DOCUMENTS=1 dotnet run --project tests/ApiJobs.Server.Tests -c Release -- -class '{testClass}'");
    }

    /// <summary>The repository's folder.</summary>
    public static string Root([CallerFilePath] string path = "")
    {
        var folder = new DirectoryInfo(Path.GetDirectoryName(path)!);
        while (!File.Exists(Path.Combine(folder.FullName, "ApiJobs.slnx")))
            folder = folder.Parent ?? throw new InvalidOperationException("The tests are not in the repository.");
        return folder.FullName;
    }

    [GeneratedRegex("^```(bash|text)\n(.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Block();

    [GeneratedRegex("^```csharp\n(.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex CSharpBlock();
}
