using ApiJobs.Server.Tests.OAuth;

namespace ApiJobs.Server.Tests.Documents;

public sealed class WaitingGuideTests
{
    [Fact]
    public async Task The_guide_to_waiting_works_as_written()
    {
        var server = new OAuthServer();
        server.Settings["Worker:Enabled"] = "true";
        await using (server)
        {
            await server.InitializeAsync();
            var given = $"API={server.Process.Url.GetLeftPart(UriPartial.Authority)}/engine/api; TOKEN={await server.GetTokenAsync()}\n";

            var output = await Document.RunAsync(given + Document.ScriptOf("docs/guides/wait-without-polling.md", "guide:start", "guide:end"), TestContext.Current.CancellationToken);

            output.ShouldStartWith("completed\nretry: 2000\n\nevent: api_job.completed\nid: 1-1\ndata: {");
        }
    }
}
