namespace ApiJobs.Server.Tests.Documents;

/// <summary>Runs the commands of a guide as they stand, in a folder of their own, against a server of their own.</summary>
/// <remarks>A guide says <c>http://localhost:5080</c>, and has a client <c>guide</c> with the secret <c>guide-secret-of-32-characters-or-more</c> and all scopes.</remarks>
internal static class GuideRunner
{
    private const string ServerOfGuides = "http://localhost:5080";

    /// <summary>Runs the bash blocks between two markers of a guide, as one script; it ends at the first command that fails.</summary>
    /// <returns>What the commands wrote.</returns>
    public static async Task<string> RunAsync(string guide, string fromMarker, string toMarker, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("apijobs-guide-");
        try
        {
            await using var server = await ServerProcess.StartAsync(
                new Dictionary<string, string>
                {
                    ["Storage:ConnectionString"] = "Data Source=guide.db",
                    ["Bootstrap:Clients:0:ClientId"] = "guide",
                    ["Bootstrap:Clients:0:ClientSecret"] = "guide-secret-of-32-characters-or-more",
                    ["Bootstrap:Clients:0:CompanyId"] = "aff00be6-f734-4094-a8ae-62874485dac0",
                    ["Bootstrap:Clients:0:Scopes"] = "jobs:read jobs:write cases:read cases:write customers:read customers:write",
                },
                folder.FullName, cancellationToken: cancellationToken);
            var script = Document.ScriptOf($"docs/guides/{guide}", fromMarker, toMarker);
            script.ShouldContain(ServerOfGuides);
            var here = folder.CreateSubdirectory("commands").FullName;
            return await Document.RunAsync(
                $"cd '{here}'\n{script.Replace(ServerOfGuides, server.Url.GetLeftPart(UriPartial.Authority), StringComparison.Ordinal)}", cancellationToken);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
