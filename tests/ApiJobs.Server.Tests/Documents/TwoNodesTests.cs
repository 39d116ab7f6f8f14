using ApiJobs.Stores.Tests.PostgreSql;

namespace ApiJobs.Server.Tests.Documents;

public sealed class TwoNodesTests(PostgreSqlDatabases databases)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_walk_through_two_nodes_works_as_written()
    {
        var folder = Directory.CreateTempSubdirectory("apijobs-walk-");
        try
        {
            var settings = new Dictionary<string, string>
            {
                ["Storage:Provider"] = "PostgreSql",
                ["Storage:ConnectionString"] = await databases.CreateAsync(),
                ["Bootstrap:Clients:0:ClientId"] = "walk",
                ["Bootstrap:Clients:0:ClientSecret"] = "walk-through-secret-of-32-characters-or-more",
                ["Bootstrap:Clients:0:CompanyId"] = "aff00be6-f734-4094-a8ae-62874485dac0",
                ["Bootstrap:Clients:0:Scopes"] = "jobs:read cases:read cases:write",
            };
            await using var first = await ServerProcess.StartAsync(settings, folder.FullName, cancellationToken: Cancel);
            await using var second = await ServerProcess.StartAsync(settings, folder.FullName, cancellationToken: Cancel);
            var script = Document.ScriptOf("docs/guides/from-one-machine-to-many.md", "walk:start", "walk:end")
                .Replace("http://localhost:5081", first.Url.GetLeftPart(UriPartial.Authority), StringComparison.Ordinal)
                .Replace("http://localhost:5082", second.Url.GetLeftPart(UriPartial.Authority), StringComparison.Ordinal);

            var output = await Document.RunAsync(script, Cancel);

            output.ShouldContain("\"status\":\"completed\"");
            output.ShouldContain("\"total_records\":20000,\"effected_records\":20000");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
