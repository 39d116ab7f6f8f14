using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace ApiJobs.Server.Tests.OAuth;

public sealed class TokenEndpointTests(OAuthServer server) : IClassFixture<OAuthServer>
{
    private const string ValidForm = "grant_type=client_credentials&client_id=demo&client_secret=demo+secret%3A+1%25%2B%26%3De%2C+and+32+or+more";

    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/oauth/token")]
    [InlineData("/oauth/token/")]
    [InlineData("/engine/api/oauth/token")]
    [InlineData("/engine/api/oauth/token/")]
    public async Task A_token_is_issued_for_json_form_and_basic_credentials(string path)
    {
        var json = new JsonObject { ["grant_type"] = "client_credentials", ["client_id"] = OAuthServer.ClientId, ["client_secret"] = OAuthServer.Secret };
        await ShouldIssueTokenAsync(path, new StringContent(json.ToJsonString(), Encoding.UTF8, "application/json"), basic: false);
        await ShouldIssueTokenAsync(path, Form(ValidForm), basic: false);
        await ShouldIssueTokenAsync(path, Form("grant_type=client_credentials"), basic: true);
    }

    [Fact]
    public async Task The_token_is_an_RFC_9068_access_token_with_the_company_and_all_scopes_of_the_client()
    {
        var token = await server.GetTokenAsync();

        var header = Jwt.Header(token);
        ((string?)header["alg"]).ShouldBe("RS256");
        ((string?)header["typ"]).ShouldBe("at+jwt");
        ((string?)header["kid"]).ShouldNotBeNullOrEmpty();
        var payload = Jwt.Payload(token);
        payload.Select(member => member.Key).Order(StringComparer.Ordinal).ShouldBe(["aud", "client_id", "company_id", "exp", "iat", "iss", "jti", "scope", "sub"]);
        ((string?)payload["iss"]).ShouldBe("urn:apijobs");
        ((string?)payload["aud"]).ShouldBe("apijobs");
        ((string?)payload["sub"]).ShouldBe(OAuthServer.ClientId);
        ((string?)payload["client_id"]).ShouldBe(OAuthServer.ClientId);
        ((string?)payload["company_id"]).ShouldBe(OAuthServer.CompanyId);
        ((string)payload["scope"]!).Split(' ').ShouldBe(OAuthServer.AllScopes.Split(' '), ignoreOrder: true);
        ((long)payload["exp"]! - (long)payload["iat"]!).ShouldBe(3600);
    }

    [Fact]
    public async Task The_issuer_does_not_follow_the_Host_header()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/oauth/token") { Content = Form(ValidForm), Headers = { Host = "evil.example" } };
        using var answer = await server.Http.SendAsync(request, Cancel);
        var body = JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancel))!;
        ((string?)Jwt.Payload((string)body["access_token"]!)["iss"]).ShouldBe("urn:apijobs");
    }

    [Fact]
    public async Task A_narrower_scope_is_granted_as_asked()
    {
        using var answer = await OAuthServer.RequestTokenAsync(server.Http, OAuthServer.ClientId, OAuthServer.Secret, "cases:read");
        var body = JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancel))!;
        ((string?)Jwt.Payload((string)body["access_token"]!)["scope"]).ShouldBe("cases:read");
    }

    [Fact]
    public async Task The_token_opens_the_API_and_says_whose_it_is()
    {
        using var answer = await OAuthServer.CallAsync(server.Http, await server.GetTokenAsync());
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        answer.Headers.CacheControl!.NoStore.ShouldBeTrue();
        answer.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
        (await answer.Content.ReadAsStringAsync(Cancel)).ShouldBe(
            """{"company_id":"aff00be6-f734-4094-a8ae-62874485dac0","client_id":"demo","scopes":["jobs:read","jobs:write","cases:read","cases:write"]}""");
    }

    [Theory]
    [InlineData("grant_type=client_credentials&client_id=demo&client_secret=wrong-secret", 401, "invalid_client")]
    [InlineData("grant_type=client_credentials&client_id=nobody&client_secret=wrong-secret", 401, "invalid_client")]
    [InlineData("grant_type=client_credentials&client_id=demo", 401, "invalid_client")]
    [InlineData("grant_type=client_credentials", 401, "invalid_client")]
    [InlineData("grant_type=client_credentials&client_id=%00&client_secret=%00", 400, "invalid_request")]
    [InlineData("grant_type=client_credentials&client_id=d%C3%A9mo&client_secret=x", 400, "invalid_request")]
    [InlineData("grant_type=client_credentials&client_id=a&client_id=b&client_secret=x", 400, "invalid_request")]
    [InlineData("client_id=demo&client_secret=demo", 400, "invalid_request")]
    [InlineData("", 400, "invalid_request")]
    [InlineData("grant_type=password&client_id=demo&client_secret=demo", 400, "unsupported_grant_type")]
    [InlineData("grant_type=authorization_code&code=x&client_id=demo&client_secret=demo", 400, "unsupported_grant_type")]
    [InlineData(ValidForm + "&scope=everything", 400, "invalid_scope")]
    [InlineData(ValidForm + "&scope=admin", 400, "invalid_scope")]
    [InlineData(ValidForm + "&scope=openid", 400, "invalid_scope")]
    [InlineData(ValidForm + "&scope=", 400, "invalid_scope")]
    [InlineData(ValidForm + "&scope=+", 400, "invalid_scope")]
    [InlineData(ValidForm + "&scope=jobs:read&scope=cases:read", 400, "invalid_request")]
    public async Task A_bad_form_gets_the_error_of_RFC_6749(string form, int status, string error) =>
        await ShouldRefuseAsync(Form(form), status, error);

    [Theory]
    [InlineData("", 400, "invalid_request")]
    [InlineData("{", 400, "invalid_request")]
    [InlineData("[]", 400, "invalid_request")]
    [InlineData("null", 400, "invalid_request")]
    [InlineData("{} {}", 400, "invalid_request")]
    [InlineData("""{"grant_type":"client_credentials","client_id":7,"client_secret":"x"}""", 400, "invalid_request")]
    [InlineData("""{"grant_type":["client_credentials"],"client_id":"demo","client_secret":"x"}""", 400, "invalid_request")]
    [InlineData("""{"grant_type":"client_credentials","client_id":"a","client_id":"b","client_secret":"x"}""", 400, "invalid_request")]
    [InlineData("""{"grant_type":"client_credentials","client_id":"\ud800","client_secret":"x"}""", 400, "invalid_request")]
    [InlineData("""{"grant_type":"client_credentials","\udc00":"a","client_id":"b","client_secret":"x"}""", 400, "invalid_request")]
    [InlineData("""{"grant_type":"client_credentials","client_id":"\u0000","client_secret":"x"}""", 400, "invalid_request")]
    [InlineData("""{"grant_type":"client_credentials","client_id":"' OR 1=1 --","client_secret":"x"}""", 401, "invalid_client")]
    [InlineData("""{"grant_type":"client_credentials","client_id":"demo","client_secret":"demo secret: 1%+&=e, and 32 or more","scope":""}""", 400, "invalid_scope")]
    [InlineData("""{"a":{"a":{"a":{"a":{"a":{"a":1}}}}}}""", 400, "invalid_request")]
    public async Task Bad_JSON_gets_the_error_of_RFC_6749(string json, int status, string error) =>
        await ShouldRefuseAsync(new StringContent(json, Encoding.UTF8, "application/json"), status, error);

    [Fact]
    public async Task Invalid_UTF_8_is_refused()
    {
        var content = new ByteArrayContent([.. "{\"grant_type\":\"client_credentials\",\"client_id\":\""u8, 0xFF, 0xFE, .. "\",\"client_secret\":\"x\"}"u8]);
        content.Headers.ContentType = new("application/json");
        await ShouldRefuseAsync(content, 400, "invalid_request");
    }

    [Fact]
    public async Task A_body_of_another_type_is_refused() =>
        await ShouldRefuseAsync(new StringContent("grant_type=client_credentials", Encoding.UTF8, "text/plain"), 400, "invalid_request");

    [Theory]
    [InlineData("Basic")]
    [InlineData("Basic !!!")]
    [InlineData("Basic bm8tY29sb24=")]
    [InlineData("Basic OnNlY3JldA==")]
    [InlineData("Basic ZGVtbzp3cm9uZw==")]
    [InlineData("Basic AAAAOgAA")]
    [InlineData("Bearer x")]
    public async Task Bad_basic_credentials_are_refused(string authorization)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/oauth/token") { Content = Form("grant_type=client_credentials") };
        request.Headers.TryAddWithoutValidation("Authorization", authorization);
        using var answer = await server.Http.SendAsync(request, Cancel);
        ((int)answer.StatusCode).ShouldBeOneOf(400, 401);
        if (answer.StatusCode == HttpStatusCode.Unauthorized)
            answer.Headers.WwwAuthenticate.ToString().ShouldStartWith("Basic realm=\"apijobs\"");
        ((string?)JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancel))!["error"]).ShouldBeOneOf("invalid_client", "invalid_request");
    }

    [Fact]
    public async Task A_wrong_secret_and_an_unknown_client_get_the_same_answer_to_the_byte()
    {
        var wrong = await RefusalOfAsync(OAuthServer.ClientId);
        wrong.ShouldContain("401");
        (await RefusalOfAsync("nobody")).ShouldBe(wrong);

        // All that is sent back but the time of day.
        async Task<string> RefusalOfAsync(string clientId)
        {
            using var answer = await OAuthServer.RequestTokenAsync(server.Http, clientId, "a wrong secret");
            answer.Headers.Date = null;
            return $"{(int)answer.StatusCode}\n{answer.Headers}{answer.Content.Headers}{await answer.Content.ReadAsStringAsync(Cancel)}";
        }
    }

    [Fact]
    public async Task An_unknown_client_costs_the_work_of_a_wrong_secret()
    {
        // Side by side, so that whatever else the machine does slows both; without the hash, one is a fifth of the other.
        List<TimeSpan> wrong = [], unknown = [];
        for (var round = 0; round < 25; round++)
        {
            wrong.Add(await TimeAsync(OAuthServer.ClientId));
            unknown.Add(await TimeAsync($"nobody-{round}"));
        }

        (unknown.Order().ElementAt(12) / wrong.Order().ElementAt(12)).ShouldBeInRange(0.6, 1.7);

        async Task<TimeSpan> TimeAsync(string clientId)
        {
            var began = TimeProvider.System.GetTimestamp();
            using var answer = await OAuthServer.RequestTokenAsync(server.Http, clientId, "a wrong secret");
            answer.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
            return TimeProvider.System.GetElapsedTime(began);
        }
    }

    [Fact]
    public async Task A_refused_client_is_logged_on_one_line_with_its_address_and_without_the_secret()
    {
        using var _ = await OAuthServer.RequestTokenAsync(server.Http, "stranger-\u0022}", "the secret of a stranger");
        await Eventually.WithinAsync(TimeSpan.FromSeconds(5), () => Task.FromResult(server.Process.Output.Contains("stranger-", StringComparison.Ordinal)));
        var line = server.Process.Output.Split('\n').Single(line => line.Contains("stranger-", StringComparison.Ordinal));
        line.ShouldContain("127.0.0.1");
        line.ShouldNotContain("the secret of a stranger");
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("application/x-www-form-urlencoded")]
    public async Task An_oversized_body_is_refused(string type)
    {
        var body = type == "application/json" ? $$"""{"x":"{{new string('a', 20_000)}}"}""" : "x=" + new string('a', 20_000);
        using var answer = await server.Http.PostAsync("/oauth/token", new StringContent(body, Encoding.ASCII, type), Cancel);
        answer.StatusCode.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
        var problem = JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancel))!;
        ((string?)problem["code"]).ShouldBe("body_too_large");
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    public async Task Another_method_gets_405_with_the_one_allowed(string method)
    {
        using var answer = await server.Http.SendAsync(new(new(method), "/oauth/token"), Cancel);
        answer.StatusCode.ShouldBe(HttpStatusCode.MethodNotAllowed);
        answer.Content.Headers.Allow.ShouldBe(["POST"]);
    }

    [Fact]
    public async Task The_log_has_neither_secrets_nor_tokens()
    {
        var token = await server.GetTokenAsync();
        using var _ = await OAuthServer.CallAsync(server.Http, token);
        using var __ = await OAuthServer.CallAsync(server.Http, token + "x");
        using var ___ = await OAuthServer.RequestTokenAsync(server.Http, OAuthServer.ClientId, "a-wrong-secret");
        server.Process.Output.ShouldNotContain(token[..40]);
        server.Process.Output.ShouldNotContain(OAuthServer.Secret);
        server.Process.Output.ShouldNotContain("a-wrong-secret");
    }

    private static StringContent Form(string form) => new(form, Encoding.UTF8, "application/x-www-form-urlencoded");

    private async Task ShouldIssueTokenAsync(string path, HttpContent content, bool basic)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = content };
        if (basic)
            request.Headers.Authorization = OAuthServer.Basic(OAuthServer.ClientId, OAuthServer.Secret);
        using var answer = await server.Http.SendAsync(request, Cancel);
        var body = await answer.Content.ReadAsStringAsync(Cancel);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, body);
        answer.Headers.CacheControl!.NoStore.ShouldBeTrue();
        answer.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
        body.ShouldMatch("""^\{"token_type":"Bearer","expires_in":3600,"access_token":"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+"\}$""");
    }

    private async Task ShouldRefuseAsync(HttpContent content, int status, string error)
    {
        using var answer = await server.Http.PostAsync("/oauth/token", content, Cancel);
        var body = await answer.Content.ReadAsStringAsync(Cancel);
        ((int)answer.StatusCode).ShouldBe(status, body);
        answer.Headers.CacheControl!.NoStore.ShouldBeTrue();
        var json = JsonNode.Parse(body)!.AsObject();
        ((string?)json["error"]).ShouldBe(error, body);
        json.ContainsKey("error_uri").ShouldBeFalse();
        if (status == 401)
            answer.Headers.WwwAuthenticate.ToString().ShouldStartWith("Basic realm=\"apijobs\"");
    }
}
