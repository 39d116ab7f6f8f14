using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace ApiJobs.Server.Tests.Contract;

/// <summary><c>Idempotency-Key</c>: the same request under the same key is the same job.</summary>
public abstract class IdempotencyContract(ApiServer server)
{
    private const string Key = "43dbbc35-d114-4da5-a1c0-6abbea6d7bf5";
    private const string Body = """[{"ref":"A","notes":"one"}]""";

    private readonly Guid _company = ApiServer.NewCompany();

    [Theory]
    [InlineData("POST", "cases/bulk")]
    [InlineData("PATCH", "cases/bulk?max_failed=5%")]
    [InlineData("PUT", "cases/bulk?key=ref")]
    [InlineData("POST", "cases/tags/bulk")]
    public async Task The_same_request_gets_the_same_job_however_often_and_as_it_is_now(string method, string path)
    {
        var client = server.ClientOf(_company);
        string first;
        using (server.Store.HoldWork())
        {
            first = await IdOfAsync(await SendAsync(client, method, path, Body, Key));
            var again = await SendAsync(client, method, path, Body, $"\"{Key}\"");
            again.Headers.RetryAfter.ShouldNotBeNull();
            (await again.JsonAsync()).Text("status").ShouldBe("pending");
            (await IdOfAsync(again)).ShouldBe(first);
        }

        var ended = await server.EndOfAsync(client, new($"{ApiServer.Prefix}/api-jobs/{first}", UriKind.Relative));
        var later = await SendAsync(client, method, path, Body, Key);

        later.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        later.Headers.Location!.ToString().ShouldBe($"{ApiServer.Prefix}/api-jobs/{first}");
        later.Headers.NonValidated.Contains("Retry-After").ShouldBeFalse();
        (await later.JsonAsync()).GetRawText().ShouldBe(ended.GetRawText());
        // The job and its chunk, once.
        (await server.CountStoredRowsAsync(_company)).ShouldBe(2);
    }

    [Theory]
    [InlineData("PUT", "cases/bulk", Body)]
    [InlineData("POST", "customers/bulk", Body)]
    [InlineData("POST", "cases/bulk/", Body)]
    [InlineData("POST", "cases/bulk?max_failed=1", Body)]
    [InlineData("POST", "cases/bulk?", """[{"ref":"B"}]""")]
    [InlineData("POST", "cases/bulk", Body + "\n")]
    [InlineData("POST", "cases/bulk", "not even JSON")]
    [InlineData("POST", "cases/bulk", "")]
    public async Task Another_request_under_the_key_is_refused_and_nothing_of_it_is_kept(string method, string path, string body)
    {
        var client = server.ClientOf(_company);
        var first = await IdOfAsync(await SendAsync(client, "POST", "cases/bulk", Body, Key));
        var before = await server.CountStoredRowsAsync(_company);

        var answer = await SendAsync(client, method, path, body, Key);

        (await answer.ShouldBeProblemAsync(422, "idempotency_key_reused")).Text("detail")!.ShouldContain("key of its own");
        (await server.CountStoredRowsAsync(_company)).ShouldBe(before);
        (await IdOfAsync(await SendAsync(client, "POST", "cases/bulk", Body, Key))).ShouldBe(first);
    }

    [Fact]
    public async Task A_key_is_its_company_s_own()
    {
        var other = await IdOfAsync(await SendAsync(server.ClientOf(ApiServer.NewCompany()), "POST", "cases/bulk", Body, Key));
        (await IdOfAsync(await SendAsync(server.ClientOf(_company), "PUT", "cases/bulk", Body, Key))).ShouldNotBe(other);
    }

    [Fact]
    public async Task The_bytes_are_compared_as_they_were_sent_to_the_last()
    {
        var client = server.ClientOf(_company);
        var encoded = Gzip(Encoding.UTF8.GetBytes(Body), CompressionLevel.Fastest);
        var otherTime = (byte[])encoded.Clone();
        // The header's time of modification, which decompressing does not look at.
        otherTime[4] ^= 1;

        var first = await IdOfAsync(await SendAsync(client, "POST", "cases/bulk", encoded, Key, "gzip"));

        (await IdOfAsync(await SendAsync(client, "POST", "cases/bulk", encoded, Key, "gzip"))).ShouldBe(first);
        await (await SendAsync(client, "POST", "cases/bulk", otherTime, Key, "gzip")).ShouldBeProblemAsync(422, "idempotency_key_reused");
        await (await SendAsync(client, "POST", "cases/bulk", [.. encoded, .. Gzip(" "u8.ToArray(), CompressionLevel.Fastest)], Key, "gzip")).ShouldBeProblemAsync(422, "idempotency_key_reused");
        await (await SendAsync(client, "POST", "cases/bulk", Body, Key)).ShouldBeProblemAsync(422, "idempotency_key_reused");
    }

    [Fact]
    public async Task A_request_that_is_refused_leaves_the_key_free()
    {
        var client = server.ClientOf(_company);
        await (await SendAsync(client, "POST", "cases/bulk", Records(50) + "]", Key)).ShouldBeProblemAsync(400, "malformed_body");
        await (await SendAsync(client, "POST", "cases/bulk?max_failed=0", Body, Key)).ShouldBeProblemAsync(400, "invalid_parameter");
        using (server.Store.TakeAway())
            await (await SendAsync(client, "POST", "cases/bulk", Body, Key)).ShouldBeProblemAsync(503, "unavailable");
        (await server.CountStoredRowsAsync(_company)).ShouldBe(0);

        (await SendAsync(client, "POST", "cases/bulk", Body, Key)).StatusCode.ShouldBe(HttpStatusCode.Accepted);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\"\"")]
    [InlineData("\"a")]
    [InlineData("\"a\"b")]
    [InlineData("\"a\";b=c")]
    [InlineData("\"a\\b\"")]
    [InlineData("\"a\\")]
    [InlineData("\"é\"")]
    [InlineData("a\tb")]
    [InlineData("\"a\tb\"")]
    [InlineData("a\u0085b")]
    [InlineData("256")]
    [InlineData("256 quoted")]
    public async Task What_is_no_key_is_refused_before_the_body_is_read(string key)
    {
        key = key switch
        {
            "256" => new string('k', 256),
            "256 quoted" => $"\"{new string('k', 256)}\"",
            _ => key,
        };
        var answer = await SendAsync(server.ClientOf(_company), "POST", "cases/bulk", "nonsense", key);
        (await answer.ShouldBeProblemAsync(400, "invalid_idempotency_key")).Text("detail")!.ShouldContain("Idempotency-Key");
    }

    [Theory]
    [InlineData("Idempotency-Key: a\r\nIdempotency-Key: b")]
    [InlineData("Idempotency-Key: a\r\nidempotency-key: a")]
    [InlineData("Idempotency-Key: a, b")]
    [InlineData("Idempotency-Key: \"a\", \"b\"")]
    public async Task Two_keys_are_refused(string headers)
    {
        using var connection = new TcpClient();
        await connection.ConnectAsync(server.Address.Host, server.Address.Port, TestContext.Current.CancellationToken);
        await using var stream = connection.GetStream();
        var request = $"POST {ApiServer.Prefix}/cases/bulk HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            + $"Authorization: Bearer {TestAuthentication.Token(_company, ApiServer.AllScopes)}\r\n"
            + $"{headers}\r\nContent-Type: application/json\r\nContent-Length: {Body.Length}\r\n\r\n{Body}";
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request), TestContext.Current.CancellationToken);

        using var reader = new StreamReader(stream);
        var answer = await reader.ReadToEndAsync(TestContext.Current.CancellationToken);

        answer.ShouldStartWith("HTTP/1.1 400 ");
        answer.ShouldContain("\"code\":\"invalid_idempotency_key\"");
        (await server.CountStoredRowsAsync(_company)).ShouldBe(0);
    }

    [Theory]
    [InlineData("k", "\"k\"")]
    [InlineData("255", "255 quoted")]
    [InlineData("a\"b", "\"a\\\"b\"")]
    [InlineData("a\\b", "\"a\\\\b\"")]
    [InlineData("ключ", "ключ")]
    public async Task Bare_and_quoted_are_the_same_key(string bare, string quoted)
    {
        (bare, quoted) = bare == "255" ? (new string('k', 255), $"\"{new string('k', 255)}\"") : (bare, quoted);
        var client = server.ClientOf(_company);
        var first = await IdOfAsync(await SendAsync(client, "POST", "cases/bulk", Body, bare));
        (await IdOfAsync(await SendAsync(client, "POST", "cases/bulk", Body, quoted))).ShouldBe(first);
    }

    [Fact]
    public async Task A_thousand_posts_at_once_make_one_job()
    {
        var client = server.ClientOf(_company);

        var ids = await Task.WhenAll(Enumerable.Range(0, 1_000).Select(async _ => await IdOfAsync(await SendAsync(client, "POST", "cases/bulk", Body, Key))));

        ids.Distinct().ShouldHaveSingleItem();
        (await server.CountStoredRowsAsync(_company)).ShouldBe(2);
        (await server.EndOfAsync(client, new($"{ApiServer.Prefix}/api-jobs/{ids[0]}", UriKind.Relative))).GetProperty("effected_records").GetInt64().ShouldBe(1);
    }

    [Fact]
    public async Task Large_uploads_at_once_make_one_job_and_leave_nothing_of_the_others()
    {
        var client = server.ClientOf(_company);
        var body = Records(95);

        var ids = await Task.WhenAll(Enumerable.Range(0, 20).Select(async _ => await IdOfAsync(await SendAsync(client, "POST", "cases/bulk", body, Key))));

        ids.Distinct().ShouldHaveSingleItem();
        (await server.CountStoredRowsAsync(_company)).ShouldBe(1 + 10);
    }

    [Fact]
    public async Task What_was_sent_before_is_not_stored_again()
    {
        var client = server.ClientOf(_company);
        var body = Records(95);
        var first = await IdOfAsync(await SendAsync(client, "POST", "cases/bulk", body, Key));
        var appended = server.Store.Appended.Next;

        (await IdOfAsync(await SendAsync(client, "POST", "cases/bulk", body, Key))).ShouldBe(first);
        await (await SendAsync(client, "PUT", "cases/bulk", body, Key)).ShouldBeProblemAsync(422, "idempotency_key_reused");

        appended.IsCompleted.ShouldBeFalse();
    }

    private static string Records(int count) => JsonSerializer.Serialize(Enumerable.Range(0, count).Select(index => new { @ref = $"R{index}" }));

    private static Task<HttpResponseMessage> SendAsync(HttpClient client, string method, string path, string body, string key) =>
        SendAsync(client, method, path, Encoding.UTF8.GetBytes(body), key);

    private static async Task<HttpResponseMessage> SendAsync(
        HttpClient client, string method, string path, byte[] body, string key, string? encoding = null)
    {
        using var request = new HttpRequestMessage(new(method), $"{ApiServer.Prefix}/{path}") { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new("application/json");
        if (encoding is not null)
            request.Content.Headers.ContentEncoding.Add(encoding);
        request.Headers.TryAddWithoutValidation("Idempotency-Key", key);
        return await client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    private static async Task<string> IdOfAsync(HttpResponseMessage answer)
    {
        answer.StatusCode.ShouldBe(HttpStatusCode.Accepted, await answer.TextAsync());
        return (await answer.JsonAsync()).Text("id")!;
    }

    private static byte[] Gzip(byte[] bytes, CompressionLevel level)
    {
        using var encoded = new MemoryStream();
        using (var encoder = new GZipStream(encoded, level))
            encoder.Write(bytes);
        return encoded.ToArray();
    }
}
