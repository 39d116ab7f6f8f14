namespace ApiJobs.Server.Tests.Documents;

public sealed class TutorialTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_tutorial_of_the_README_works_as_written()
    {
        var folder = Directory.CreateTempSubdirectory("apijobs-tutorial-");
        try
        {
            await using var server = await ServerProcess.StartAsync(
                new Dictionary<string, string>
                {
                    ["Storage:ConnectionString"] = "Data Source=tutorial.db",
                    ["Bootstrap:Clients:0:ClientId"] = "tutorial",
                    ["Bootstrap:Clients:0:ClientSecret"] = "tutorial-secret-of-32-characters-or-more",
                    ["Bootstrap:Clients:0:CompanyId"] = "aff00be6-f734-4094-a8ae-62874485dac0",
                    ["Bootstrap:Clients:0:Scopes"] = "jobs:read jobs:write cases:read cases:write customers:read customers:write",
                },
                folder.FullName, cancellationToken: Cancel);
            var script = Document.ScriptOf("README.md", "tutorial:curl", "tutorial:end").Replace("http://localhost:5080", Root(server.Url), StringComparison.Ordinal);

            var output = await Document.RunAsync(script, Cancel);

            output.ShouldContain("HTTP/1.1 202 Accepted");
            output.ShouldContain("Location: /engine/api/api-jobs/");
            output.ShouldContain("\"status\":\"completed\"");
            output.ShouldContain("\"total_records\":4,\"effected_records\":1");
            output.ShouldContain("Case ID: 4528a261-917d-4cbc-939e-7ea48cffca69 failed with the following errors:\\n\\nCase does not exist or record already updated.");
            output.ShouldContain("\"outcome\":\"unchanged\"");
            output.ShouldContain("\"code\":\"not_found\"");
            output.ShouldContain("\"pointer\":\"/colour\"");
            output.ShouldContain("\"meta\":{\"branch\":\"Leeds\",\"witness\":\"yes\"}");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static string Root(Uri url) => url.GetLeftPart(UriPartial.Authority);
}
