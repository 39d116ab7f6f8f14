using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;

namespace ApiJobs.Server.Tests.OAuth;

public sealed class RevocationTests(OAuthServer server) : IClassFixture<OAuthServer>
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_revoked_client_is_refused_within_five_seconds_though_its_token_is_good_for_an_hour()
    {
        var secret = await AddClientAsync("to-revoke");
        var token = await server.GetTokenAsync(clientId: "to-revoke", secret: secret);
        (await StatusOfAsync(token)).ShouldBe(HttpStatusCode.OK);

        (await server.RunAsync("clients", "revoke", "to-revoke")).ExitCode.ShouldBe(0);
        await Eventually.WithinAsync(TimeSpan.FromSeconds(5), async () => await StatusOfAsync(token) == HttpStatusCode.Unauthorized);

        using var refused = await OAuthServer.CallAsync(server.Http, token);
        refused.Headers.WwwAuthenticate.ToString().ShouldContain("error=\"invalid_token\"");
        await ShouldBeInvalidClientAsync("to-revoke", secret);
    }

    [Fact]
    public async Task A_client_whose_row_is_deleted_is_refused_within_five_seconds()
    {
        var token = await server.GetTokenAsync(clientId: "to-delete", secret: await AddClientAsync("to-delete"));
        (await StatusOfAsync(token)).ShouldBe(HttpStatusCode.OK);

        await using (var connection = new SqliteConnection($"Data Source={Path.Combine(server.Folder, "data", "apijobs.db")}"))
        {
            await connection.OpenAsync(Cancel);
            await using var delete = new SqliteCommand("DELETE FROM oauth_clients WHERE client_id = 'to-delete'", connection);
            (await delete.ExecuteNonQueryAsync(Cancel)).ShouldBe(1);
        }

        await Eventually.WithinAsync(TimeSpan.FromSeconds(5), async () => await StatusOfAsync(token) == HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task A_rotated_secret_takes_the_place_of_the_old_one_at_once()
    {
        var old = await AddClientAsync("to-rotate");
        var rotated = await server.RunAsync("clients", "rotate-secret", "to-rotate");
        rotated.ExitCode.ShouldBe(0, rotated.Errors);

        await ShouldBeInvalidClientAsync("to-rotate", old);
        (await server.GetTokenAsync(clientId: "to-rotate", secret: SecretIn(rotated.Output))).ShouldNotBeEmpty();
    }

    [Fact]
    public async Task A_bootstrap_client_that_was_revoked_is_not_made_again_at_the_next_start()
    {
        // A server of its own: the others need theirs.
        var own = new OAuthServer();
        await using (own)
        {
            await own.InitializeAsync();
            (await own.RunAsync("clients", "revoke", OAuthServer.ClientId)).ExitCode.ShouldBe(0);
            await own.RestartAsync();
            using var answer = await OAuthServer.RequestTokenAsync(own.Http, OAuthServer.ClientId, OAuthServer.Secret);
            answer.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
            (await own.RunAsync("clients", "list")).Output.ShouldMatch($@"^{OAuthServer.ClientId}\t{OAuthServer.CompanyId}\trevoked [^\t]+\t");
        }
    }

    private async Task<string> AddClientAsync(string clientId)
    {
        var added = await server.RunAsync("clients", "add", "--client-id", clientId, "--company", OAuthServer.CompanyId, "--scopes", "cases:read jobs:read");
        added.ExitCode.ShouldBe(0, added.Errors);
        return SecretIn(added.Output);
    }

    private static string SecretIn(string output) => output.Split("client_secret: ")[1].Trim();

    private async Task<HttpStatusCode> StatusOfAsync(string token)
    {
        using var answer = await OAuthServer.CallAsync(server.Http, token);
        return answer.StatusCode;
    }

    private async Task ShouldBeInvalidClientAsync(string clientId, string secret)
    {
        using var answer = await OAuthServer.RequestTokenAsync(server.Http, clientId, secret);
        answer.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        answer.Headers.WwwAuthenticate.ToString().ShouldStartWith("Basic");
        ((string?)JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancel))!["error"]).ShouldBe("invalid_client");
    }
}
