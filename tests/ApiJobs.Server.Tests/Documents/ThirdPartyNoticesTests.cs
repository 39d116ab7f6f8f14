using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace ApiJobs.Server.Tests.Documents;

public sealed partial class ThirdPartyNoticesTests
{
    private static readonly string Notices = Path.Combine(Document.Root(), "THIRD-PARTY-NOTICES.md");

    [Fact]
    public void The_notices_name_every_package_that_the_server_ships_with_its_licence()
    {
        var packages = ShippedPackages();
        var table = "| package | version | licence | copyright |\n|---|---|---|---|\n"
            + string.Concat(packages.Select(package => $"| {package.Name} | {package.Version} | {package.Licence} | {package.Copyright} |\n"));
        var notices = File.ReadAllText(Notices);
        Document.ShouldBe(Notices, Table().Replace(notices, table.Replace("$", "$$", StringComparison.Ordinal), 1), "*ThirdPartyNoticesTests");
        foreach (var licence in packages.Select(package => package.Licence).Distinct())
            notices.ShouldContain($"\n## {licence}\n", customMessage: "Its text is missing.");
    }

    [Fact]
    public void The_server_ships_them() => File.Exists(Path.Combine(AppContext.BaseDirectory, "THIRD-PARTY-NOTICES.md")).ShouldBeTrue();

    private static List<(string Name, string Version, string Licence, string Copyright)> ShippedPackages()
    {
        var locked = JsonNode.Parse(File.ReadAllText(Path.Combine(Document.Root(), "src", "ApiJobs.Server", "packages.lock.json")))!;
        return
        [
            .. from package in locked["dependencies"]!["net10.0"]!.AsObject()
               where (string?)package.Value!["type"] != "Project"
               let metadata = ReadMetadata(package.Key, (string)package.Value!["resolved"]!)
               where metadata("developmentDependency") != "true"
               orderby package.Key.ToUpperInvariant()
               select (package.Key, (string)package.Value!["resolved"]!, metadata("license"), metadata("copyright")),
        ];
    }

    private static Func<string, string> ReadMetadata(string name, string version)
    {
        var cache = Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } given
            ? given
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        var (folder, file) = (name.ToLowerInvariant(), version.ToLowerInvariant());
        var metadata = XDocument.Load(Path.Combine(cache, folder, file, $"{folder}.nuspec")).Root!.Elements().First();
        return element => metadata.Elements().FirstOrDefault(child => child.Name.LocalName == element)?.Value.Trim() ?? "";
    }

    [GeneratedRegex(@"^\| package.*\n(\|.*\n)+", RegexOptions.Multiline)]
    private static partial Regex Table();
}
