using System.Text.RegularExpressions;
using ApiJobs.Server.Settings;

namespace ApiJobs.Server.Tests.Documents;

public sealed class SettingsPageTests
{
    private static readonly string Page = Path.Combine(Document.Root(), "docs", "reference", "settings.md");

    [Fact]
    public void The_page_of_settings_says_of_each_what_its_option_says()
    {
        var page = File.ReadAllText(Page);
        var written = SettingsSection.All.Aggregate(page, (text, section) =>
        {
            var table = new Regex($@"(?<=^## `{section.Name}`\n.*?)(^\|[^\n]*\n)+", RegexOptions.Multiline | RegexOptions.Singleline);
            table.IsMatch(text).ShouldBeTrue($"docs/reference/settings.md has no heading '## `{section.Name}`' with a table after it.");
            return table.Replace(text, SettingsTables.Of(section).Replace("$", "$$", StringComparison.Ordinal), 1);
        });
        Document.ShouldBe(Page, written, "*SettingsPageTests");
    }
}
