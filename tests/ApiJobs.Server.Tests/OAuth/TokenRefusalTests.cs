using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace ApiJobs.Server.Tests.OAuth;

/// <summary>A 401 says which of the things that can be wrong with a token it is, and how to mend it: on the engine's routes and on the server's own.</summary>
public sealed class TokenRefusalTests(OAuthServer server) : IClassFixture<OAuthServer>
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    /// <summary>The Authorization header, with TOKEN for a good token; the code; what the answer says.</summary>
    public static TheoryData<string?, string, string> Headers => new()
    {
        { null, "missing_token", "Authorization: Bearer" },
        { "Basic ZGVtbzpzZWNyZXQ=", "missing_token", "'Basic'" },
        { "TOKEN", "malformed_token", "without the word Bearer" },
        { "Token TOKEN", "malformed_token", "'Token'" },
        { "Bearer", "malformed_token", "no token" },
        { "Bearer ", "malformed_token", "no token" },
        { "BearerTOKEN", "malformed_token", "Authorization: Bearer" },
        { "Bearer TOKEN TOKEN", "malformed_token", "one token" },
        { "Bearer \"TOKEN\"", "malformed_token", "three parts" },
        { "Bearer 4528a261-917d-4cbc-939e-7ea48cffca69", "malformed_token", "three parts" },
        { "Bearer a.b.c", "invalid_token", "new token" },
        { "Bearer TOKENx", "invalid_token", "new token" },
    };

    [Theory]
    [MemberData(nameof(Headers))]
    public async Task A_refused_header_says_what_is_wrong_with_it(string? authorization, string code, string says)
    {
        var header = authorization?.Replace("TOKEN", await server.GetTokenAsync(), StringComparison.Ordinal);
        foreach (var path in new[] { "cases", "whoami" })
        {
            using var answer = await CallAsync(path, header);
            await ShouldSayAsync(answer, code, says);
        }
    }

    [Fact]
    public async Task An_expired_token_is_told_from_others()
    {
        var (kid, key) = server.ReadSigningKey();
        using (key)
        {
            var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
            var payload = new JsonObject
            {
                ["iss"] = "urn:apijobs",
                ["aud"] = "apijobs",
                ["client_id"] = OAuthServer.ClientId,
                ["company_id"] = OAuthServer.CompanyId,
                ["scope"] = "cases:read",
                ["iat"] = now - 7200,
                ["exp"] = now - 3600,
            };
            var token = Jwt.Sign($$"""{"alg":"RS256","typ":"at+jwt","kid":"{{kid}}"}""", payload.ToJsonString(), key);
            using var answer = await CallAsync("cases", $"Bearer {token}");
            await ShouldSayAsync(answer, "expired_token", "new token");
        }
    }

    [Fact]
    public async Task The_token_of_a_revoked_client_is_told_from_others()
    {
        var added = await server.RunAsync("clients", "add", "--client-id", "to-refuse", "--company", OAuthServer.CompanyId, "--scopes", "cases:read");
        added.ExitCode.ShouldBe(0, added.Errors);
        var token = await server.GetTokenAsync(clientId: "to-refuse", secret: added.Output.Split("client_secret: ")[1].Trim());
        (await server.RunAsync("clients", "revoke", "to-refuse")).ExitCode.ShouldBe(0);
        await Eventually.WithinAsync(TimeSpan.FromSeconds(5), async () =>
        {
            using var answer = await CallAsync("cases", $"Bearer {token}");
            return answer.StatusCode == HttpStatusCode.Unauthorized;
        });

        using var refused = await CallAsync("cases", $"Bearer {token}");
        await ShouldSayAsync(refused, "revoked_token", "revoked");
    }

    private static async Task ShouldSayAsync(HttpResponseMessage answer, string code, string says)
    {
        answer.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        var problem = (await answer.Content.ReadFromJsonAsync<JsonNode>(Cancel))!;
        ((string?)problem["code"]).ShouldBe(code, problem.ToJsonString());
        ((string?)problem["detail"])!.ShouldContain(says);
        // RFC 6750, section 3.1: a request without a token gets no error code.
        if (code == "missing_token")
            answer.Headers.WwwAuthenticate.ToString().ShouldBe("Bearer realm=\"apijobs\"");
        else
            answer.Headers.WwwAuthenticate.ToString().ShouldStartWith("Bearer realm=\"apijobs\", error=\"invalid_token\", error_description=\"");
    }

    private async Task<HttpResponseMessage> CallAsync(string path, string? authorization)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/engine/api/{path}");
        if (authorization is not null)
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
        return await server.Http.SendAsync(request, Cancel);
    }
}
