using System.Text.RegularExpressions;

namespace ApiJobs.Server.Tests.Documents;

/// <summary>Runs the commands of a guide as they stand, in a folder of their own, against a server of their own, and holds the guide to what it shows.</summary>
/// <remarks>
/// A guide says <c>http://localhost:5080</c>, and has a client <c>guide</c> with the secret <c>guide-secret-of-32-characters-or-more</c> and all scopes. A
/// block <c>text</c> after a block <c>bash</c> is what its commands write, but for ids that the guide does not name itself, and what <c>…</c> stands for.
/// </remarks>
internal static partial class GuideRunner
{
    private const string ServerOfGuides = "http://localhost:5080";

    /// <summary>Runs the blocks between <c>guide:begin</c> and <c>guide:end</c> of a guide, and compares what they write with what it shows.</summary>
    /// <param name="guide">Its file's name, in <c>docs/guides</c>.</param>
    /// <param name="cancellationToken">Stops the commands.</param>
    /// <param name="variables">Variables that are given to the guide, which has to take them: <c>NAME=${NAME:-default}</c>. Where it shows the default, it is held to what was given.</param>
    /// <returns>What the commands wrote.</returns>
    public static Task<string> RunAsync(string guide, CancellationToken cancellationToken, params IReadOnlyCollection<(string Name, string Value)> variables) =>
        RunAsync($"docs/guides/{guide}", "guide:begin", "guide:end", "guide", cancellationToken, variables);

    /// <summary>Runs the blocks between two markers of a document, and compares what they write with what it shows.</summary>
    /// <param name="path">The document.</param>
    /// <param name="fromMarker">Where it begins.</param>
    /// <param name="toMarker">Where it ends.</param>
    /// <param name="clientId">The client that the document speaks of; its secret is <c>{clientId}-secret-of-32-characters-or-more</c>.</param>
    /// <param name="cancellationToken">Stops the commands.</param>
    /// <param name="variables">Variables that are given to the document.</param>
    /// <returns>What the commands wrote.</returns>
    public static async Task<string> RunAsync(
        string path, string fromMarker, string toMarker, string clientId, CancellationToken cancellationToken, params IReadOnlyCollection<(string Name, string Value)> variables)
    {
        var steps = Document.StepsOf(path, fromMarker, toMarker);
        var commands = string.Join('\n', steps.Select(step => step.Commands));
        commands.ShouldContain(ServerOfGuides);
        var folder = Directory.CreateTempSubdirectory("apijobs-guide-");
        try
        {
            await using var server = await ServerProcess.StartAsync(
                new Dictionary<string, string>
                {
                    ["Storage:ConnectionString"] = "Data Source=guide.db",
                    ["Bootstrap:Clients:0:ClientId"] = clientId,
                    ["Bootstrap:Clients:0:ClientSecret"] = $"{clientId}-secret-of-32-characters-or-more",
                    ["Bootstrap:Clients:0:CompanyId"] = "aff00be6-f734-4094-a8ae-62874485dac0",
                    ["Bootstrap:Clients:0:Scopes"] = "jobs:read jobs:write cases:read cases:write customers:read customers:write",
                },
                folder.FullName, cancellationToken: cancellationToken);
            var here = folder.CreateSubdirectory("commands").FullName;
            var given = string.Concat(variables.Select(variable => $"{variable.Name}='{variable.Value}'\n"));
            // What each block writes ends with a line of its own, which no command writes.
            var script = string.Concat(steps.Select(step => $"{step.Commands}\necho; echo {EndOfStep}\n"))
                .Replace(ServerOfGuides, server.Url.GetLeftPart(UriPartial.Authority), StringComparison.Ordinal);

            var outputs = (await Document.RunAsync($"cd '{here}'\n{given}{script}", cancellationToken)).Split($"\n{EndOfStep}\n");

            outputs.Length.ShouldBe(steps.Count + 1);
            foreach (var (step, output) in steps.Zip(outputs))
            {
                if (step.Shown is { } shown)
                    Regex.IsMatch(output.ReplaceLineEndings("\n").Trim(), PatternOf(AsGiven(shown, commands, variables), commands))
                        .ShouldBeTrue($"{path} shows after\n\n{step.Commands}\nthis:\n\n{shown}\nbut it wrote:\n\n{output}");
            }

            return string.Join('\n', outputs);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private const string EndOfStep = "----- end of step -----";

    private static string AsGiven(string shown, string commands, IReadOnlyCollection<(string Name, string Value)> variables)
    {
        foreach (var (name, value) in variables)
        {
            var taken = Regex.Match(commands, $@"^{name}=\$\{{{name}:-(.+)\}}$", RegexOptions.Multiline);
            taken.Success.ShouldBeTrue($"The guide should have a line {name}=${{{name}:-default}}.");
            shown = shown.Replace(taken.Groups[1].Value, value, StringComparison.Ordinal);
        }

        return shown;
    }

    private static string PatternOf(string shown, string commands)
    {
        var exact = Regex.Escape(shown.Trim()).Replace("…", @"[\s\S]*?", StringComparison.Ordinal);
        return $@"\A{Id().Replace(exact, id => commands.Contains(id.Value, StringComparison.Ordinal) ? id.Value : Id().ToString())}\z";
    }

    [GeneratedRegex("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")]
    private static partial Regex Id();
}
