using System.Net;
using System.Text.Json.Nodes;

namespace ApiJobs.Server.Tests.OAuth;

public sealed class SigningKeyTests(OAuthServer server) : IClassFixture<OAuthServer>
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_published_keys_verify_a_token_by_hand_and_hold_nothing_private()
    {
        var jwks = await GetJsonAsync("/.well-known/jwks");
        foreach (var key in jwks["keys"]!.AsArray())
            key!.AsObject().Select(member => member.Key).Order(StringComparer.Ordinal).ShouldBe(["alg", "e", "kid", "kty", "n", "use"]);
        var token = await server.GetTokenAsync();
        Jwt.IsSignedBy(token, jwks).ShouldBeTrue();
        Jwt.IsSignedBy(token[..^8] + (token[^8] == 'A' ? 'B' : 'A') + token[^7..], jwks).ShouldBeFalse();
    }

    [Fact]
    public async Task Discovery_without_an_issuer_has_no_URL_that_a_Host_header_could_have_made()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/.well-known/openid-configuration") { Headers = { Host = "evil.example" } };
        using var answer = await server.Http.SendAsync(request, Cancel);
        var body = await answer.Content.ReadAsStringAsync(Cancel);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        body.ShouldNotContain("evil");
        body.ShouldNotContain("http");
        var discovery = JsonNode.Parse(body)!;
        ((string?)discovery["issuer"]).ShouldBe("urn:apijobs");
        discovery["grant_types_supported"]!.AsArray().Select(type => (string?)type).ShouldBe(["client_credentials"]);
        discovery["token_endpoint_auth_methods_supported"]!.AsArray().Select(method => (string?)method).ShouldBe(["client_secret_post", "client_secret_basic"]);
    }

    [Fact]
    public async Task A_rotated_key_signs_without_a_restart_and_older_tokens_stay_good()
    {
        var before = await server.GetTokenAsync();
        var rotated = await server.RunAsync("keys", "rotate");
        rotated.ExitCode.ShouldBe(0, rotated.Errors);
        var kid = rotated.Output.Split("kid: ")[1].Trim();

        // A token by the new key is good at once, even on a node that has not heard of the key.
        var (currentKid, key) = server.ReadSigningKey();
        using (key)
        {
            currentKid.ShouldBe(kid);
            var payload = Jwt.Payload(before);
            payload["jti"] = "by-the-new-key";
            using var early = await OAuthServer.CallAsync(server.Http, Jwt.Sign($$"""{"alg":"RS256","typ":"at+jwt","kid":"{{kid}}"}""", payload.ToJsonString(), key));
            early.StatusCode.ShouldBe(HttpStatusCode.OK);
        }

        await Eventually.WithinAsync(TimeSpan.FromSeconds(10), async () => (string?)Jwt.Header(await server.GetTokenAsync())["kid"] == kid);
        Jwt.IsSignedBy(await server.GetTokenAsync(), await GetJsonAsync("/.well-known/jwks")).ShouldBeTrue();
        Jwt.IsSignedBy(before, await GetJsonAsync("/.well-known/jwks")).ShouldBeTrue();
        using var old = await OAuthServer.CallAsync(server.Http, before);
        old.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Keys_survive_a_restart_and_can_be_removed_when_stolen()
    {
        var own = new OAuthServer();
        await using (own)
        {
            await own.InitializeAsync();
            var token = await own.GetTokenAsync();
            await own.RestartAsync();
            (await StatusOfAsync(own, token)).ShouldBe(HttpStatusCode.OK);

            (await own.RunAsync("keys", "rotate", "--remove-old")).ExitCode.ShouldBe(0);
            await Eventually.WithinAsync(TimeSpan.FromSeconds(10), async () => await StatusOfAsync(own, token) == HttpStatusCode.Unauthorized);
            (await StatusOfAsync(own, await own.GetTokenAsync())).ShouldBe(HttpStatusCode.OK);
        }
    }

    private static async Task<HttpStatusCode> StatusOfAsync(OAuthServer server, string token)
    {
        using var answer = await OAuthServer.CallAsync(server.Http, token);
        return answer.StatusCode;
    }

    private async Task<JsonObject> GetJsonAsync(string path) =>
        JsonNode.Parse(await server.Http.GetStringAsync(new Uri(path, UriKind.Relative), Cancel))!.AsObject();
}
