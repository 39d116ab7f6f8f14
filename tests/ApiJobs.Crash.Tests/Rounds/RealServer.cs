using System.Net.Http.Json;
using System.Text.Json;
using ApiJobs.Crash.Tests.Load;

namespace ApiJobs.Crash.Tests.Rounds;

/// <summary>ApiJobs.Server in place of the test's own node: its clients log in with OAuth, and nothing but outcomes and rows is checked.</summary>
internal sealed class RealServer(LoadShape shape)
{
    private const string Secret = "a-secret-for-crash-tests-only-0123456789";

    /// <summary>A client for each company.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; } = Enumerable.Range(0, shape.Companies).SelectMany(company =>
        new Dictionary<string, string>
        {
            [$"Bootstrap:Clients:{company}:ClientId"] = ClientId(company),
            [$"Bootstrap:Clients:{company}:ClientSecret"] = Secret,
            [$"Bootstrap:Clients:{company}:CompanyId"] = LoadShape.CompanyId(company).ToString(),
            [$"Bootstrap:Clients:{company}:Scopes"] = "jobs:read jobs:write cases:read cases:write",
        }).ToDictionary();

    /// <summary>Takes a token for each company. They outlive the processes, as the signing keys do.</summary>
    public async Task<ClientAccess> LogInAsync(Uri node, CancellationToken cancellationToken)
    {
        using var http = new HttpClient { BaseAddress = node };
        var tokens = new string[shape.Companies];
        for (var company = 0; company < tokens.Length; company++)
        {
            var request = new { grant_type = "client_credentials", client_id = ClientId(company), client_secret = Secret };
            using var answer = await http.PostAsJsonAsync("/oauth/token", request, cancellationToken);
            answer.EnsureSuccessStatusCode();
            var token = await answer.Content.ReadFromJsonAsync<JsonElement>(cancellationToken);
            tokens[company] = token.GetProperty("access_token").GetString()!;
        }

        return new("cases/bulk", TypePrefix: "", company => new("Bearer", tokens[company]));
    }

    private static string ClientId(int company) => $"crash-client-{company}";
}
