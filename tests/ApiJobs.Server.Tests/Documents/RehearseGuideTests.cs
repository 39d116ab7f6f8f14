namespace ApiJobs.Server.Tests.Documents;

public sealed class RehearseGuideTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_guide_on_rehearsals_works_as_written()
    {
        var folder = Directory.CreateTempSubdirectory("apijobs-guide-");
        try
        {
            await using var server = await ServerProcess.StartAsync(
                new Dictionary<string, string>
                {
                    ["Storage:ConnectionString"] = "Data Source=guide.db",
                    ["Bootstrap:Clients:0:ClientId"] = "guide",
                    ["Bootstrap:Clients:0:ClientSecret"] = "guide-secret-of-32-characters-or-more-than",
                    ["Bootstrap:Clients:0:CompanyId"] = "aff00be6-f734-4094-a8ae-62874485dac0",
                    ["Bootstrap:Clients:0:Scopes"] = "jobs:read cases:read cases:write",
                },
                folder.FullName, cancellationToken: Cancel);
            var root = server.Url.GetLeftPart(UriPartial.Authority);
            var access = $$"""
                API={{root}}/engine/api
                TOKEN=$(curl -fsS {{root}}/oauth/token -H 'Content-Type: application/json' \
                  -d '{"grant_type":"client_credentials","client_id":"guide","client_secret":"guide-secret-of-32-characters-or-more-than"}' | jq -r .access_token)

                """;

            var output = await Document.RunAsync(access + Document.ScriptOf("docs/guides/rehearse.md", "rehearse:start", "rehearse:end"), Cancel);

            output.Split('\n', StringSplitOptions.RemoveEmptyEntries).ShouldBe(
            [
                """{"status":"completed","effected_records":2}""",
                """{"status":"completed","total_records":4,"effected_records":2}""",
                """{"index":2,"key":"0190e3b6-0000-7000-8000-000000000002","code":"not_unique"}""",
                """{"index":3,"key":"0190e3b6-0000-7000-8000-000000000099","code":"not_found"}""",
                """{"id":"0190e3b6-0000-7000-8000-000000000001","ref":"W-1"}""",
            ]);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
