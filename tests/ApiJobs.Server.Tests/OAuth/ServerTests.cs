using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace ApiJobs.Server.Tests.OAuth;

/// <summary>What the server around the engine does for every request.</summary>
public sealed class ServerTests(OAuthServer server) : IClassFixture<OAuthServer>
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/health/live")]
    [InlineData("/health/ready")]
    public async Task Health_needs_no_token(string path)
    {
        using var answer = await server.Http.GetAsync(new Uri(path, UriKind.Relative), Cancel);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await answer.Content.ReadAsStringAsync(Cancel)).ShouldBe("Healthy");
        answer.Headers.Server.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("GET", "/nothing", 404, "not_found")]
    [InlineData("DELETE", "/engine/api/whoami", 405, "method_not_allowed")]
    [InlineData("GET", "/engine/api/whoami", 401, "missing_token")]
    public async Task Every_error_is_a_problem_with_a_code_even_for_a_browser(string method, string path, int status, string code)
    {
        using var request = new HttpRequestMessage(new(method), path);
        request.Headers.TryAddWithoutValidation("Accept", "text/html");
        using var answer = await server.Http.SendAsync(request, Cancel);
        ((int)answer.StatusCode).ShouldBe(status);
        answer.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        var problem = JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancel))!;
        ((string?)problem["code"]).ShouldBe(code);
        ((int?)problem["status"]).ShouldBe(status);
    }

    [Fact]
    public async Task What_whoami_answers_is_what_the_document_describes()
    {
        using var answer = await OAuthServer.CallAsync(server.Http, await server.GetTokenAsync());
        var members = JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancel))!.AsObject().Select(member => member.Key);
        var document = JsonNode.Parse(await server.Http.GetStringAsync(new Uri("/openapi/v1.json", UriKind.Relative), Cancel))!;
        document["components"]!["schemas"]!["WhoAmIAnswer"]!["properties"]!.AsObject().Select(property => property.Key).ShouldBe(members);
    }

    [Fact]
    public async Task Every_described_operation_has_an_id_of_its_own()
    {
        var document = JsonNode.Parse(await server.Http.GetStringAsync(new Uri("/openapi/v1.json", UriKind.Relative), Cancel))!;
        var ids = document["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject()).Select(operation => (string?)operation.Value!["operationId"]).ToArray();
        ids.ShouldAllBe(id => id != null && char.IsAsciiLetterLower(id[0]) && id.All(char.IsAsciiLetter));
        ids.ShouldBeUnique();
    }

    [Theory]
    [InlineData("a:99999")]
    [InlineData("[::1")]
    [InlineData("a b")]
    [InlineData("")]
    [InlineData("%00")]
    [InlineData("xn--")]
    public async Task A_strange_Host_header_never_makes_it_fail(string host)
    {
        foreach (var path in new[] { "/oauth/token", "/.well-known/openid-configuration", "/engine/api/whoami", "/health/live" })
        {
            (await SendRawAsync($"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")).ShouldBeInRange(200, 499);
            (await SendRawAsync($"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")).ShouldBeInRange(200, 499);
        }
    }

    [Theory]
    [InlineData("GET /engine/api/whoami?a=%00&b=%ff HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \u00e9\r\n")]
    [InlineData("GET /oauth/token/%2e%2e/%00 HTTP/1.1\r\nHost: x\r\n")]
    [InlineData("GET /engine/api/whoami HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n")]
    [InlineData("POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/json; charset=\"\r\nContent-Length: 2\r\n")]
    [InlineData("POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded; charset=utf-7\r\nContent-Length: 2\r\n")]
    public async Task A_strange_request_never_makes_it_fail(string head) =>
        (await SendRawAsync($"{head}Connection: close\r\n\r\n{{}}")).ShouldBeInRange(400, 499);

    [Theory]
    [InlineData("80000000")]
    [InlineData("ffffffff")]
    [InlineData("7fffffffffffffff")]
    [InlineData("fffffffffffffffffffffff")]
    [InlineData("x")]
    public async Task A_chunk_size_that_is_none_is_the_senders_fault(string size)
    {
        foreach (var type in new[] { "application/json", "application/x-www-form-urlencoded" })
        {
            foreach (var path in new[] { "/oauth/token", "/engine/api/oauth/token" })
            {
                var request = $"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {type}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n{size}\r\n{{}}\r\n0\r\n\r\n";
                (await SendRawAsync(request)).ShouldBeOneOf(400, 413);
            }
        }
    }

    [Fact]
    public async Task A_body_over_the_limit_is_refused_where_there_is_no_bulk_route()
    {
        using var answer = await server.Http.PostAsync("/oauth/token", new ByteArrayContent(new byte[100_000]), Cancel);
        ((int)answer.StatusCode).ShouldBeOneOf(400, 413);
    }

    [Fact]
    public async Task Told_to_stop_it_ends_well()
    {
        var own = new OAuthServer();
        await using (own)
        {
            await own.InitializeAsync();
            (await own.Process.StopAsync()).ShouldBe(0, own.Process.Output);
        }
    }

    private async Task<int> SendRawAsync(string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, server.Process.Url.Port, Cancel);
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request), Cancel);
        using var reader = new StreamReader(stream, Encoding.Latin1);
        var line = await reader.ReadLineAsync(Cancel);
        return int.Parse(line!.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);
    }
}
