using System.Text.RegularExpressions;

namespace ApiJobs.Server.Tests.Documents;

/// <summary>Whoever follows a link of a document gets somewhere: to a file that there is, and to a heading that it has.</summary>
public sealed partial class LinkTests
{
    public static TheoryData<string> Documents =>
        [.. Directory.EnumerateFiles(Document.Root(), "*.md")
            .Concat(Directory.EnumerateFiles(Path.Combine(Document.Root(), "docs"), "*.md", SearchOption.AllDirectories))
            .Select(path => Path.GetRelativePath(Document.Root(), path)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Documents))]
    public void Every_link_within_the_repository_leads_somewhere(string path)
    {
        var folder = Path.GetDirectoryName(Path.Combine(Document.Root(), path))!;
        foreach (var target in Link().Matches(Code().Replace(Document.Read(path), "")).Select(link => link.Groups[1].Value).Where(target => !target.Contains("://", StringComparison.Ordinal)))
        {
            var (file, heading) = target.Split('#') is [var name, var anchor] ? (name, anchor) : (target, null);
            var full = file.Length == 0 ? Path.Combine(Document.Root(), path) : Path.Combine(folder, file);
            Path.Exists(full).ShouldBeTrue($"{path} links to {target}, and there is no such file.");
            if (heading is not null)
                Heading().Matches(File.ReadAllText(full)).Select(line => AnchorOf(line.Groups[1].Value)).ShouldContain(heading, $"{path} links to {target}, and there is no such heading.");
        }
    }

    // As hosts of repositories make them: small letters, no punctuation, hyphens for spaces.
    private static string AnchorOf(string heading) => Punctuation().Replace(heading.Trim().ToLowerInvariant(), "").Replace(' ', '-');

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex("^```.*?^```|`[^`\n]*`", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Code();

    [GeneratedRegex(@"^#+ (.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex Punctuation();
}
