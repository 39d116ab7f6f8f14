using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace ApiJobs.Server.Tests.OAuth;

/// <summary>Whatever comes as a token is answered with 401 and never with 5xx, however well it is signed.</summary>
public sealed class HostileTokenTests(OAuthServer server) : IClassFixture<OAuthServer>
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    private static long Now => TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();

    [Fact]
    public async Task A_token_made_by_hand_with_the_real_key_is_accepted()
    {
        // The control of all that follows: what is refused there is refused for its one flaw.
        using var answer = await OAuthServer.CallAsync(server.Http, Make());
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    public static TheoryData<string, Func<HostileTokenTests, string>> Tokens { get; } = new()
    {
        { "alg none", test => $"{Jwt.Encode("""{"alg":"none","typ":"at+jwt"}""")}.{Jwt.Encode(Payload())}." },
        { "alg None with the real signature", test => test.Make(header: """{"alg":"None","typ":"at+jwt","kid":"KID"}""") },
        { "no alg", test => test.Make(header: """{"typ":"at+jwt","kid":"KID"}""") },
        { "alg empty", test => test.Make(header: """{"alg":"","typ":"at+jwt","kid":"KID"}""") },
        { "alg of another type", test => test.Make(header: """{"alg":256,"typ":"at+jwt","kid":"KID"}""") },
        { "alg RS512 with an RS256 signature", test => test.Make(header: """{"alg":"RS512","typ":"at+jwt","kid":"KID"}""") },
        { "alg PS256 with an RS256 signature", test => test.Make(header: """{"alg":"PS256","typ":"at+jwt","kid":"KID"}""") },
        { "HS256 with the public key as PEM", test => test.MakeHmac(key => Encoding.ASCII.GetBytes(key.ExportSubjectPublicKeyInfoPem())) },
        { "HS256 with the public key as PEM and a newline", test => test.MakeHmac(key => Encoding.ASCII.GetBytes(key.ExportSubjectPublicKeyInfoPem() + "\n")) },
        { "HS256 with the public key as DER", test => test.MakeHmac(key => key.ExportSubjectPublicKeyInfo()) },
        { "HS256 with the modulus", test => test.MakeHmac(key => key.ExportParameters(false).Modulus!) },
        { "HS256 with an empty key", test => test.MakeHmac(_ => []) },
        { "another key under the real kid", test => test.MakeWithAnotherKey("""{"alg":"RS256","typ":"at+jwt","kid":"KID"}""") },
        { "another key and no kid", test => test.MakeWithAnotherKey("""{"alg":"RS256","typ":"at+jwt"}""") },
        { "another key that comes along as jwk", test => test.MakeWithAnotherKey("""{"alg":"RS256","typ":"at+jwt","kid":"x","jwk":{"kty":"RSA","kid":"x","e":"AQAB","n":"MODULUS"}}""") },
        { "another key from a jku", test => test.MakeWithAnotherKey("""{"alg":"RS256","typ":"at+jwt","kid":"x","jku":"http://127.0.0.1:1/jwks"}""") },
        { "another key with an x5c", test => test.MakeWithAnotherKey("""{"alg":"RS256","typ":"at+jwt","kid":"x","x5c":["AAAA"],"x5u":"http://127.0.0.1:1/"}""") },
        { "kid unknown", test => test.MakeWithAnotherKey("""{"alg":"RS256","typ":"at+jwt","kid":"unknown"}""") },
        { "kid a path", test => test.MakeWithAnotherKey("""{"alg":"RS256","typ":"at+jwt","kid":"../../../../dev/null"}""") },
        { "kid SQL", test => test.MakeWithAnotherKey("""{"alg":"RS256","typ":"at+jwt","kid":"x' UNION SELECT 'a"}""") },
        { "kid NUL", test => test.MakeWithAnotherKey("""{"alg":"RS256","typ":"at+jwt","kid":"\u0000"}""") },
        { "kid a number", test => test.MakeWithAnotherKey("""{"alg":"RS256","typ":"at+jwt","kid":1e400}""") },
        { "kid a lone surrogate", test => test.MakeWithAnotherKey("""{"alg":"RS256","typ":"at+jwt","kid":"\ud800"}""") },
        { "unknown crit", test => test.Make(header: """{"alg":"RS256","typ":"at+jwt","kid":"KID","crit":["b64","x"],"b64":false}""") },
        { "alg twice, none last", test => test.Make(header: """{"alg":"RS256","typ":"at+jwt","kid":"KID","alg":"none"}""") },
        { "typ JWT", test => test.Make(header: """{"alg":"RS256","typ":"JWT","kid":"KID"}""") },
        { "typ missing", test => test.Make(header: """{"alg":"RS256","kid":"KID"}""") },
        { "typ JWT that token_usage calls an access token", test => test.Make(payload => payload["token_usage"] = "access_token", """{"alg":"RS256","typ":"JWT","kid":"KID"}""") },
        { "typ JWT with an unknown token_usage", test => test.Make(payload => payload["token_usage"] = "x", """{"alg":"RS256","typ":"JWT","kid":"KID"}""") },
        { "header not an object", test => test.Make(header: "[]") },
        { "header not JSON", test => test.Make(header: "{") },
        { "payload not an object", test => test.Sign("7") },
        { "payload not JSON", test => test.Sign("{") },
        { "payload with a lone surrogate", test => test.Sign(Payload(payload => payload["x"] = 1).Replace("\"x\":1", "\"x\":\"\\ud800\"", StringComparison.Ordinal).Replace("apijobs\"", "\\ud800\"", StringComparison.Ordinal)) },
        { "signature missing", test => test.Make()[..^342] },
        { "signature cut", test => test.Make()[..^7] },
        { "signature changed", test => Change(test.Make(), -20) },
        { "payload changed", test => Change(test.Make(), test.Make().IndexOf('.') + 40) },
        { "signature of zeros", test => test.Make()[..^342] + new string('A', 342) },
        { "expired", test => test.Make(payload => payload["exp"] = Now - 60) },
        { "exp missing", test => test.Make(payload => payload.Remove("exp")) },
        { "exp null", test => test.Make(payload => payload["exp"] = null) },
        { "exp text", test => test.Make(payload => payload["exp"] = "tomorrow") },
        { "exp negative", test => test.Make(payload => payload["exp"] = -1) },
        { "exp 1e400", test => test.Sign(Payload(payload => payload["exp"] = 77).Replace("77", "1e400", StringComparison.Ordinal)) },
        { "exp beyond the calendar", test => test.Sign(Payload(payload => payload["exp"] = 77).Replace("77", "99999999999999999999", StringComparison.Ordinal)) },
        { "exp an object", test => test.Make(payload => payload["exp"] = new JsonObject()) },
        { "exp twice, expired last", test => test.Sign(Payload()[..^1] + $",\"exp\":{Now - 60}}}") },
        { "nbf in the future", test => test.Make(payload => payload["nbf"] = Now + 600) },
        { "nbf text", test => test.Make(payload => payload["nbf"] = "x") },
        { "iss missing", test => test.Make(payload => payload.Remove("iss")) },
        { "iss of another", test => test.Make(payload => payload["iss"] = "urn:apijobs:other") },
        { "iss a number", test => test.Make(payload => payload["iss"] = 1) },
        { "aud missing", test => test.Make(payload => payload.Remove("aud")) },
        { "aud of another", test => test.Make(payload => payload["aud"] = "others") },
        { "aud empty", test => test.Make(payload => payload["aud"] = new JsonArray()) },
        { "aud an object", test => test.Make(payload => payload["aud"] = new JsonObject { ["apijobs"] = true }) },
        { "company missing", test => test.Make(payload => payload.Remove("company_id")) },
        { "company not a UUID", test => test.Make(payload => payload["company_id"] = "1 OR 1=1") },
        { "company zero", test => test.Make(payload => payload["company_id"] = Guid.Empty.ToString()) },
        { "company twice", test => test.Make(payload => payload["company_id"] = new JsonArray(OAuthServer.CompanyId, Guid.Empty.ToString())) },
        { "client unknown", test => test.Make(payload => payload["client_id"] = "nobody") },
        { "client NUL", test => test.Make(payload => payload["client_id"] = "\0") },
        { "client missing", test => test.Make(payload => { payload.Remove("client_id"); payload.Remove("sub"); }) },
        { "cnf broken", test => test.Make(payload => payload["cnf"] = "x") },
        { "cnf of a certificate nobody showed", test => test.Make(payload => payload["cnf"] = new JsonObject { ["x5t#S256"] = "AAAA" }) },
        { "five-part JWE", test => $"{Jwt.Encode("""{"alg":"dir","enc":"A256CBC-HS512","typ":"at+jwt"}""")}..AAAAAAAAAAAAAAAAAAAAAA.AAAA.AAAA" },
        { "five-part JWE by RSA", test => $"{Jwt.Encode("""{"alg":"RSA-OAEP","enc":"A256GCM","zip":"DEF","typ":"at+jwt"}""")}.AAAA.AAAA.AAAA.AAAA" },
        { "five-part JWE by password, many rounds", test => $"{Jwt.Encode("""{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2s":"AAAA","p2c":2147483647}""")}.AAAA.AAAA.AAAA.AAAA" },
        { "one part", test => "x" },
        { "two parts", test => "x.y" },
        { "empty parts", test => ".." },
        { "four dots", test => "...." },
        { "many dots", test => new string('.', 8_000) },
        { "not base64", test => "!!!.???.***" },
        { "a space inside", test => test.Make().Insert(50, " ") },
        { "padding", test => test.Make() + "==" },
        { "nested deep", test => test.Sign(Payload()[..^1] + ",\"x\":" + new string('[', 2_000) + new string(']', 2_000) + "}") },
    };

    [Theory]
    [MemberData(nameof(Tokens), DisableDiscoveryEnumeration = true)]
    public async Task A_bad_token_gets_401_and_a_reason(string flaw, Func<HostileTokenTests, string> make)
    {
        using var answer = await OAuthServer.CallAsync(server.Http, make(this));
        answer.StatusCode.ShouldBe(HttpStatusCode.Unauthorized, flaw);
        answer.Headers.WwwAuthenticate.ToString().ShouldStartWith("Bearer realm=\"apijobs\", error=\"invalid_token\"", customMessage: flaw);
        answer.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
    }

    [Fact]
    public async Task Without_a_token_no_error_code_is_given()
    {
        using var answer = await OAuthServer.CallAsync(server.Http, token: null);
        answer.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        answer.Headers.WwwAuthenticate.ToString().ShouldBe("Bearer realm=\"apijobs\"");
    }

    [Theory]
    [InlineData("Bearer")]
    [InlineData("Bearer ")]
    [InlineData("Bearer  ")]
    [InlineData("Bearerx")]
    [InlineData("Basic ZGVtbzpzZWNyZXQ=")]
    public async Task A_header_without_a_token_gets_401(string authorization)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/engine/api/whoami");
        request.Headers.TryAddWithoutValidation("Authorization", authorization);
        using var answer = await server.Http.SendAsync(request, Cancel);
        answer.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        answer.Headers.WwwAuthenticate.ToString().ShouldStartWith("Bearer realm=\"apijobs\"");
    }

    [Fact]
    public async Task A_token_anywhere_but_in_the_Authorization_header_is_not_looked_at()
    {
        var token = await server.GetTokenAsync();
        using var inQuery = await server.Http.GetAsync(new Uri($"/engine/api/whoami?access_token={token}", UriKind.Relative), Cancel);
        inQuery.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/engine/api/whoami") { Content = new FormUrlEncodedContent([new("access_token", token)]) };
        request.Headers.TryAddWithoutValidation("Cookie", $"access_token={token}");
        using var inBody = await server.Http.SendAsync(request, Cancel);
        inBody.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task A_megabyte_of_token_is_refused_by_the_limit_of_headers()
    {
        using var answer = await OAuthServer.CallAsync(server.Http, new string('a', 1 << 20));
        answer.StatusCode.ShouldBe(HttpStatusCode.RequestHeaderFieldsTooLarge);
    }

    [Fact]
    public async Task A_good_token_is_good_again_and_again_and_beside_bad_ones()
    {
        var token = await server.GetTokenAsync();
        for (var round = 0; round < 5; round++)
        {
            using var good = await OAuthServer.CallAsync(server.Http, token);
            good.StatusCode.ShouldBe(HttpStatusCode.OK);
            using var bad = await OAuthServer.CallAsync(server.Http, Change(token, -20));
            bad.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        }
    }

    private static string Payload(Action<JsonObject>? change = null)
    {
        var payload = new JsonObject
        {
            ["iss"] = "urn:apijobs",
            ["aud"] = "apijobs",
            ["sub"] = OAuthServer.ClientId,
            ["client_id"] = OAuthServer.ClientId,
            ["company_id"] = OAuthServer.CompanyId,
            ["scope"] = "cases:read",
            ["iat"] = Now,
            ["exp"] = Now + 600,
            ["jti"] = Guid.CreateVersion7().ToString(),
        };
        change?.Invoke(payload);
        return payload.ToJsonString();
    }

    private static string Change(string token, int at)
    {
        var characters = token.ToCharArray();
        var index = at < 0 ? characters.Length + at : at;
        characters[index] = characters[index] == 'A' ? 'B' : 'A';
        return new(characters);
    }

    private string Make(Action<JsonObject>? change = null, string header = """{"alg":"RS256","typ":"at+jwt","kid":"KID"}""")
    {
        var (kid, key) = server.ReadSigningKey();
        using (key)
            return Jwt.Sign(header.Replace("KID", kid, StringComparison.Ordinal), Payload(change), key);
    }

    private string Sign(string payload)
    {
        var (kid, key) = server.ReadSigningKey();
        using (key)
            return Jwt.Sign($$"""{"alg":"RS256","typ":"at+jwt","kid":"{{kid}}"}""", payload, key);
    }

    private string MakeHmac(Func<RSA, byte[]> secret)
    {
        var (kid, key) = server.ReadSigningKey();
        using (key)
            return Jwt.Hmac($$"""{"alg":"HS256","typ":"at+jwt","kid":"{{kid}}"}""", Payload(), secret(key));
    }

    private string MakeWithAnotherKey(string header)
    {
        using var other = RSA.Create(2048);
        var modulus = System.Buffers.Text.Base64Url.EncodeToString(other.ExportParameters(false).Modulus);
        var (kid, key) = server.ReadSigningKey();
        key.Dispose();
        return Jwt.Sign(header.Replace("KID", kid, StringComparison.Ordinal).Replace("MODULUS", modulus, StringComparison.Ordinal), Payload(), other);
    }
}
