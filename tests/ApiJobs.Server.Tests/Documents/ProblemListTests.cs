using System.Text.RegularExpressions;
using ApiJobs.AspNetCore.Answers;

namespace ApiJobs.Server.Tests.Documents;

/// <summary>Integrators branch on the codes of problems: the list they read is the list that the server has.</summary>
public sealed partial class ProblemListTests
{
    [Fact]
    public void Every_problem_is_documented_as_it_is_answered() =>
        Row().Matches(Document.Read("docs/reference/problems.md")).Select(row => (row.Groups[1].Value, int.Parse(row.Groups[2].Value), row.Groups[3].Value))
            .ShouldBe(Problems.All.Select(kind => (kind.Code, kind.Status, kind.Title)));

    [GeneratedRegex(@"^\| `(\w+)` \| (\d{3}) \| (.+) \|$", RegexOptions.Multiline)]
    private static partial Regex Row();
}
