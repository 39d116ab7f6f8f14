using System.IO.Compression;
using System.Net;
using System.Text;

namespace ApiJobs.Server.Tests.Contract;

/// <summary>Bulk requests that are accepted, and those refused for what surrounds their records.</summary>
public abstract class BulkContract(ApiServer server)
{
    private readonly Guid _company = ApiServer.NewCompany();

    [Theory]
    [InlineData("POST", "cases/bulk", "customer_case_bulk_create")]
    [InlineData("PATCH", "cases/bulk", "customer_case_bulk_update")]
    [InlineData("PUT", "cases/bulk", "customer_case_bulk_upsert")]
    [InlineData("POST", "customers/bulk", "customer_bulk_create")]
    [InlineData("PATCH", "customers/bulk", "customer_bulk_update")]
    [InlineData("PUT", "customers/bulk", "customer_bulk_upsert")]
    [InlineData("POST", "cases/tags/bulk", "case_tag_bulk_create")]
    public async Task A_bulk_request_is_answered_with_its_pending_job(string method, string path, string type)
    {
        var client = server.ClientOf(_company);
        using var held = server.Store.HoldWork();
        var answer = await client.SendJsonAsync(new(method), path, """[{"id":"4528a261-917d-4cbc-939e-7ea48cffca69"}]""");

        answer.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        answer.Headers.RetryAfter!.Delta!.Value.ShouldBeInRange(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(600));
        answer.Content.Headers.ContentType!.ToString().ShouldBe("application/json");
        var tag = answer.Headers.ETag.ShouldNotBeNull();
        var job = await answer.JsonAsync();
        answer.Headers.Location!.ToString().ShouldBe($"{ApiServer.Prefix}/api-jobs/{job.Text("id")}");
        job.Text("type").ShouldBe(type);
        job.Text("status").ShouldBe("pending");
        job.GetProperty("total_records").GetInt64().ShouldBe(1);
        var asked = await client.SendAsync(HttpMethod.Get, answer.Headers.Location.ToString());
        (await asked.TextAsync()).ShouldBe(await answer.TextAsync());
        asked.Headers.ETag.ShouldBe(tag);
        var unchanged = await client.SendAsync(HttpMethod.Get, answer.Headers.Location.ToString(), headers: headers => headers.IfNoneMatch.Add(tag));
        unchanged.StatusCode.ShouldBe(HttpStatusCode.NotModified);
    }

    [Fact]
    public async Task Records_may_be_wrapped_and_make_many_chunks()
    {
        var client = server.ClientOf(_company);
        var records = string.Join(',', Enumerable.Range(0, 205).Select(index => $$"""{"ref":"R{{index}}"}"""));
        var job = await server.RunAsync(client, HttpMethod.Post, "cases/bulk", $$"""{"records":[{{records}}]}""");
        job.GetProperty("total_records").GetInt64().ShouldBe(205);
        job.GetProperty("effected_records").GetInt64().ShouldBe(205);
        job.Text("message").ShouldBe("");
    }

    [Fact]
    public async Task Jobs_of_a_company_run_in_the_order_accepted()
    {
        var client = server.ClientOf(_company);
        var id = Guid.CreateVersion7();
        await client.SendJsonAsync(HttpMethod.Post, "cases/bulk", $$"""[{"id":"{{id}}","notes":"first"}]""");
        await client.SendJsonAsync(HttpMethod.Patch, "cases/bulk", $$"""[{"id":"{{id}}","notes":"second"}]""");
        await server.RunAsync(client, HttpMethod.Patch, "cases/bulk", $$"""[{"id":"{{id}}","notes":"third"}]""");
        (await (await client.SendAsync(HttpMethod.Get, $"cases/{id}")).JsonAsync()).Text("notes").ShouldBe("third");
    }

    [Fact]
    public async Task An_upsert_may_find_its_rows_by_a_unique_field()
    {
        var client = server.ClientOf(_company);
        await server.RunAsync(client, HttpMethod.Put, "cases/bulk?key=ref", """[{"ref":"A-1","notes":"one"}]""");
        var job = await server.RunAsync(client, HttpMethod.Put, "cases/bulk?key=ref", """[{"ref":"A-1","notes":"two"},{"ref":"A-2"}]""");
        job.GetProperty("effected_records").GetInt64().ShouldBe(2);
        var rows = (await (await client.SendAsync(HttpMethod.Get, "cases?ref=A-1")).JsonAsync()).GetProperty("data");
        rows.GetArrayLength().ShouldBe(1);
        rows[0].Text("notes").ShouldBe("two");
    }

    [Theory]
    [InlineData("PUT", "cases/bulk?key=email", "'email'", "id, ref")]
    [InlineData("PUT", "cases/bulk?key=", "''", "id, ref")]
    [InlineData("PUT", "customers/bulk?key=ref", "'ref'", "id")]
    [InlineData("PUT", "cases/bulk?key=ref&key=ref", "2 times", "once")]
    [InlineData("POST", "cases/bulk?key=ref", "'key'", "dry_run")]
    [InlineData("PATCH", "cases/bulk?key=ref", "'key'", "dry_run")]
    [InlineData("PUT", "cases/bulk?keys=ref", "'keys'", "key")]
    [InlineData("POST", "cases/tags/bulk?x=1", "'x'", "dry_run")]
    public async Task A_parameter_that_is_not_allowed_is_refused_by_name(string method, string path, string named, string allowed)
    {
        var answer = await server.ClientOf(_company).SendJsonAsync(new(method), path, "[{}]");
        var detail = (await answer.ShouldBeProblemAsync(400, "invalid_parameter")).Text("detail")!;
        detail.ShouldContain(named);
        detail.ShouldContain(allowed);
        (await server.CountStoredRowsAsync(_company)).ShouldBe(0);
    }

    [Theory]
    [InlineData("application/json", """[{"ref":"A"},{"ref":"B"}]""")]
    [InlineData("Application/JSON; charset=UTF-8", """{"records":[{"ref":"A"},{"ref":"B"}]}""")]
    [InlineData("application/x-ndjson", "{\"ref\":\"A\"}\n{\"ref\":\"B\"}\n")]
    [InlineData("application/jsonl", "{\"ref\":\"A\"}\r\n{\"ref\":\"B\"}")]
    [InlineData("text/csv; charset=utf-8", "ref,notes\r\nA,\"one, two\"\r\nB,\r\n")]
    public async Task Every_format_makes_the_same_rows(string contentType, string body)
    {
        foreach (var encoding in new[] { null, "gzip", "br" })
        {
            var client = server.ClientOf(ApiServer.NewCompany());
            using var request = new HttpRequestMessage(HttpMethod.Post, $"{ApiServer.Prefix}/cases/bulk") { Content = new ByteArrayContent(Encode(body, encoding)) };
            request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
            if (encoding is not null)
                request.Content.Headers.ContentEncoding.Add(encoding);
            var answer = await client.SendAsync(request, TestContext.Current.CancellationToken);
            answer.StatusCode.ShouldBe(HttpStatusCode.Accepted, await answer.TextAsync());
            (await server.EndOfAsync(client, answer.Headers.Location!)).GetProperty("effected_records").GetInt64().ShouldBe(2);
            (await (await client.SendAsync(HttpMethod.Get, "cases?ref=B")).JsonAsync()).GetProperty("data").GetArrayLength().ShouldBe(1);
        }
    }

    [Fact]
    public async Task An_encoding_that_is_not_supported_is_refused_with_those_that_are()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{ApiServer.Prefix}/cases/bulk") { Content = new StringContent("[{}]") };
        request.Content.Headers.ContentType = new("application/json");
        request.Content.Headers.ContentEncoding.Add("zstd");
        var answer = await server.ClientOf(_company).SendAsync(request, TestContext.Current.CancellationToken);
        (await answer.ShouldBeProblemAsync(415, "unsupported_media_type")).Text("detail")!.ShouldContain("'zstd'");
        answer.Headers.GetValues("Accept-Encoding").ShouldBe(["gzip, br"]);
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/xml")]
    [InlineData("application/json; charset=utf-16")]
    [InlineData("multipart/mixed; boundary=x")]
    [InlineData("json")]
    [InlineData(null)]
    public async Task Another_media_type_is_refused_with_what_is_supported(string? contentType)
    {
        var answer = await server.ClientOf(_company).SendAsync(HttpMethod.Post, "cases/bulk", "[{}]"u8.ToArray(), contentType);
        (await answer.ShouldBeProblemAsync(415, "unsupported_media_type")).Text("detail")!.ShouldContain("application/json");
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("HEAD")]
    [InlineData("DELETE")]
    [InlineData("OPTIONS")]
    public async Task Another_method_is_refused_with_those_that_the_path_has(string method)
    {
        var answer = await server.ClientOf(_company).SendAsync(new(method), "cases/bulk");
        answer.StatusCode.ShouldBe(HttpStatusCode.MethodNotAllowed);
        answer.Content.Headers.Allow.Order().ShouldBe(["PATCH", "POST", "PUT"]);
        if (method != "HEAD")
            await answer.ShouldBeProblemAsync(405, "method_not_allowed");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_body_over_the_limit_is_refused_with_the_limit_and_leaves_nothing(bool lengthIsKnown)
    {
        // Real records in front, so that chunks were stored before the limit was met.
        var body = Encoding.UTF8.GetBytes($"[{string.Join(',', Enumerable.Repeat("{\"notes\":\"" + new string('x', 9_000) + "\"}", 500))}]");
        body.LongLength.ShouldBeGreaterThan(ApiServer.MaxBodyBytes);
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{ApiServer.Prefix}/cases/bulk") { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new("application/json");
        request.Headers.TransferEncodingChunked = !lengthIsKnown;

        var answer = await server.ClientOf(_company).SendAsync(request, TestContext.Current.CancellationToken);
        (await answer.ShouldBeProblemAsync(413, "body_too_large")).Text("detail")!.ShouldContain($"{ApiServer.MaxBodyBytes:N0}");
        (await server.CountStoredRowsAsync(_company)).ShouldBe(0);
    }

    private static byte[] Encode(string body, string? encoding)
    {
        var bytes = Encoding.UTF8.GetBytes(body);
        if (encoding is null)
            return bytes;
        using var encoded = new MemoryStream();
        using (Stream encoder = encoding == "gzip" ? new GZipStream(encoded, CompressionLevel.Fastest) : new BrotliStream(encoded, CompressionLevel.Fastest))
            encoder.Write(bytes);

        return encoded.ToArray();
    }
}
