using System.IO.Compression;
using System.Net.Sockets;
using System.Text;

namespace ApiJobs.Server.Tests.Contract;

/// <summary>Bad input gets a clear answer, and nothing is lost or left.</summary>
public abstract class BadInputContract(ApiServer server)
{
    private const string Json = "application/json", Ndjson = "application/x-ndjson", Csv = "text/csv";

    private readonly Guid _company = ApiServer.NewCompany();

    /// <summary>Bodies that cannot be read: name, body, status, code, and whether a byte position or a record's index is told.</summary>
    public static TheoryData<string, byte[], int, string, string> Bodies => new()
    {
        { "broken JSON", Utf8("""[{"ref":"A"},{"ref":}]"""), 400, "malformed_body", "byte_offset" },
        { "invalid UTF-8", [.. Utf8("[{\"ref\":\""), 0xC3, 0x28, .. Utf8("\"}]")], 400, "invalid_utf8", "byte_offset" },
        { "nesting of 65", Utf8($"[{{\"meta\":{new string('[', 63)}{new string(']', 63)}}}]"), 400, "too_deep", "byte_offset" },
        { "nesting of 100,000", Utf8($"[{{\"meta\":{new string('[', 100_000)}"), 400, "too_deep", "byte_offset" },
        { "cut off in a record", Utf8("""[{"ref":"A"},{"ref":"B"""), 400, "malformed_body", "byte_offset" },
        { "cut off between records", Utf8("""[{"ref":"A"},"""), 400, "malformed_body", "byte_offset" },
        { "cut off before the end", Utf8("""[{"ref":"A"}"""), 400, "malformed_body", "byte_offset" },
        { "bytes after the end", Utf8("""[{"ref":"A"}] x"""), 400, "malformed_body", "byte_offset" },
        { "a second document", Utf8("""[{"ref":"A"}][{"ref":"B"}]"""), 400, "malformed_body", "byte_offset" },
        { "nothing", [], 400, "malformed_body", "byte_offset" },
        { "white space", Utf8(" \r\n\t"), 400, "malformed_body", "byte_offset" },
        { "a string", Utf8("\"records\""), 400, "wrong_shape", "byte_offset" },
        { "null", Utf8("null"), 400, "wrong_shape", "byte_offset" },
        { "an object without records", Utf8("""{"ref":"A"}"""), 400, "wrong_shape", "byte_offset" },
        { "records that are no list", Utf8("""{"records":{}}"""), 400, "wrong_shape", "byte_offset" },
        { "an element that is a number", Utf8("""[{"ref":"A"},1]"""), 400, "record_not_object", "record_index" },
        { "an element that is a list", Utf8("""[[]]"""), 400, "record_not_object", "record_index" },
        { "an empty list", Utf8("[]"), 400, "no_records", "byte_offset" },
        { "an empty wrapped list", Utf8("""{"records":[]}"""), 400, "no_records", "byte_offset" },
        { "a record over 1 MiB", Utf8($$"""[{"notes":"{{new string('x', 1 << 20)}}"}]"""), 413, "record_too_large", "record_index" },
        { "a fault after many chunks", Utf8($"[{string.Join(',', Enumerable.Repeat("{}", 95))},]"), 400, "malformed_body", "byte_offset" },
    };

    /// <summary>Records that are wrong: name, JSON, code, pointer.</summary>
    public static TheoryData<string, string, string, string> Records => new()
    {
        { "no id", """{"notes":"x"}""", "missing_key", "/id" },
        { "null id", """{"id":null,"notes":"x"}""", "missing_key", "/id" },
        { "unknown id", """{"id":"4528a261-917d-4cbc-939e-7ea48cffca69","notes":"x"}""", "not_found", "/id" },
        { "an id that is no UUID", """{"id":"1","notes":"x"}""", "invalid_format", "/id" },
        { "wrong type", """{"id":"$id","notes":5}""", "wrong_type", "/notes" },
        { "too long", """{"id":"$id","postcode":"12345678901"}""", "too_long", "/postcode" },
        { "unknown field", """{"id":"$id","colour":"red"}""", "unknown_field", "/colour" },
        { "protected field", """{"id":"$id","company_id":"4528a261-917d-4cbc-939e-7ea48cffca69"}""", "protected_field", "/company_id" },
        { "a field named twice", """{"id":"$id","notes":"x","notes":"y"}""", "duplicate_field", "/notes" },
        { "U+0000", """{"id":"$id","notes":"a\u0000b"}""", "invalid_character", "/notes" },
        { "half a surrogate pair", """{"id":"$id","notes":"\ud800"}""", "invalid_character", "/notes" },
    };

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task A_body_that_cannot_be_read_is_refused_with_the_place_and_leaves_nothing(
        string name, byte[] body, int status, string code, string place)
    {
        var answer = await server.ClientOf(_company).SendAsync(HttpMethod.Post, "cases/bulk", body, "application/json");
        var problem = await answer.ShouldBeProblemAsync(status, code);
        var error = problem.GetProperty("errors").EnumerateArray().ShouldHaveSingleItem(name);
        error.GetProperty(place).GetInt64().ShouldBeInRange(0, body.Length, name);
        error.Text("detail").ShouldBe(problem.Text("detail"));
        (await server.CountStoredRowsAsync(_company)).ShouldBe(0, name);
    }

    /// <summary>Bodies in other formats and encodings that cannot be read: name, Content-Type, Content-Encoding, body, status, code, and which place is told.</summary>
    public static TheoryData<string, string, string?, byte[], int, string, string?> OtherBodies => new()
    {
        { "an over-long line", Ndjson, null, Utf8($"{{}}\n{{\"notes\":\"{new string('x', 1 << 20)}\"}}\n"), 413, "record_too_large", "line" },
        { "an over-long line without an end", Ndjson, null, Utf8($"{{\"notes\":\"{new string('x', 3 << 20)}"), 413, "record_too_large", "line" },
        { "a broken line between mixed line ends", Ndjson, null, Utf8("{}\r\n{}\n{\"ref\":}\r\n{}"), 400, "malformed_body", "line" },
        { "an array in a line", Ndjson, null, Utf8("{}\n[{}]\n"), 400, "record_not_object", "line" },
        { "an empty file of lines", Ndjson, null, [], 400, "no_records", "byte_offset" },
        { "a file of a byte order mark", Ndjson, null, Utf8("\uFEFF"), 400, "no_records", "byte_offset" },
        { "an unclosed quote", Csv, null, Utf8("ref,notes\nA,one\nB,\"two\nC,three\n"), 400, "malformed_body", "line" },
        { "an over-long row", Csv, null, Utf8($"ref,notes\nA,{new string('x', (1 << 20) + 1)}\n"), 413, "record_too_large", "line" },
        { "a row with a cell too many", Csv, null, Utf8("ref,notes\r\nA,one\nB,two,three\r\n"), 400, "malformed_body", "line" },
        { "an empty table", Csv, null, [], 400, "malformed_body", "byte_offset" },
        { "a table of a header", Csv, null, Utf8("ref,notes\n"), 400, "no_records", "byte_offset" },
        { "a header with a name twice", Csv, null, Utf8("ref,ref\nA,B\n"), 400, "wrong_shape", "line" },
        { "what is no gzip", Json, "gzip", Utf8("[{}]"), 400, "invalid_encoding", null },
        { "what is no brotli", Ndjson, "br", Utf8("{\"ref\":\"A\"}\n"), 400, "invalid_encoding", null },
        { "gzip cut off", Csv, "gzip", Gzip(Utf8("ref\nA\nB\n"))[..^6], 400, "invalid_encoding", null },
        { "gzip with bytes after its end", Json, "gzip", [.. Gzip(Utf8("[{}]")), 1, 2, 3], 400, "invalid_encoding", null },
        { "a bomb of spaces", Json, "gzip", Gzip([(byte)'[', .. Enumerable.Repeat((byte)' ', 64 << 20)]), 413, "body_too_large", null },
        { "a bomb of records", Ndjson, "gzip", Gzip([.. Enumerable.Repeat(Utf8($"{{\"notes\":\"{new string('x', 500_000)}\"}}\n"), 128).SelectMany(line => line)]), 413, "body_too_large", null },
    };

    [Theory]
    [MemberData(nameof(OtherBodies))]
    public async Task A_body_of_another_format_or_encoding_that_cannot_be_read_is_refused_with_the_place_and_leaves_nothing(
        string name, string contentType, string? encoding, byte[] body, int status, string code, string? place)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{ApiServer.Prefix}/cases/bulk") { Content = new ByteArrayContent(body) };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        if (encoding is not null)
            request.Content.Headers.ContentEncoding.Add(encoding);

        var answer = await server.ClientOf(_company).SendAsync(request, TestContext.Current.CancellationToken);

        var problem = await answer.ShouldBeProblemAsync(status, code);
        var error = problem.GetProperty("errors").EnumerateArray().ShouldHaveSingleItem(name);
        if (place is not null)
            error.GetProperty(place).GetInt64().ShouldBeInRange(0, body.Length, name);
        (await server.CountStoredRowsAsync(_company)).ShouldBe(0, name);
    }

    [Fact]
    public async Task A_table_without_the_column_that_rows_are_found_by_is_refused_at_its_header()
    {
        var answer = await server.ClientOf(_company).SendAsync(HttpMethod.Patch, "cases/bulk", Utf8("ref,notes\nA,one\n"), Csv);
        var problem = await answer.ShouldBeProblemAsync(400, "wrong_shape");
        problem.Text("detail")!.ShouldContain("'id'");
        problem.GetProperty("errors").EnumerateArray().ShouldHaveSingleItem().GetProperty("line").GetInt64().ShouldBe(1);
        (await server.CountStoredRowsAsync(_company)).ShouldBe(0);
    }

    [Theory]
    [MemberData(nameof(Records))]
    public async Task A_record_that_is_wrong_fails_alone_and_its_neighbours_are_applied(string name, string record, string code, string pointer)
    {
        var client = server.ClientOf(_company);
        var ids = Enumerable.Range(0, 3).Select(_ => Guid.CreateVersion7()).ToArray();
        await server.RunAsync(client, HttpMethod.Post, "cases/bulk", $"[{string.Join(',', ids.Select(id => $$"""{"id":"{{id}}"}"""))}]");

        var job = await server.RunAsync(client, HttpMethod.Patch, "cases/bulk",
            $$"""[{"id":"{{ids[0]}}","email":"a"},{{record.Replace("$id", $"{ids[1]}", StringComparison.Ordinal)}},{"id":"{{ids[2]}}","email":"b"}]""");

        job.Text("status").ShouldBe("completed", name);
        job.GetProperty("effected_records").GetInt64().ShouldBe(2, name);
        var answer = await client.SendAsync(HttpMethod.Get, $"api-jobs/{job.Text("id")}/records?outcome=failed");
        var failed = (await answer.JsonAsync()).GetProperty("data").EnumerateArray().ShouldHaveSingleItem(name);
        failed.GetProperty("index").GetInt64().ShouldBe(1);
        var error = failed.GetProperty("errors")[0];
        error.Text("code").ShouldBe(code, name);
        error.Text("pointer").ShouldBe(pointer, name);
        error.Text("message").ShouldNotBeNullOrWhiteSpace();
    }

    [Fact]
    public async Task A_second_create_of_an_id_fails_and_the_first_stands()
    {
        var client = server.ClientOf(_company);
        var id = Guid.CreateVersion7();
        var job = await server.RunAsync(client, HttpMethod.Post, "cases/bulk", $$"""[{"id":"{{id}}","notes":"1"},{"id":"{{id}}","notes":"2"}]""");
        job.GetProperty("effected_records").GetInt64().ShouldBe(1);
        (await (await client.SendAsync(HttpMethod.Get, $"cases/{id}")).JsonAsync()).Text("notes").ShouldBe("1");
    }

    [Theory]
    [InlineData("""{"date_of_birth":"2024-02-30"}""", "invalid_format", "/date_of_birth")]
    [InlineData("""{"customer_case_id":"4528a261-917d-4cbc-939e-7ea48cffca69"}""", "reference_not_found", "/customer_case_id")]
    public async Task A_customer_that_is_wrong_fails(string record, string code, string pointer) =>
        await ShouldFailAsync("customers", record, code, pointer);

    [Theory]
    [InlineData("""{"weight":9223372036854775808}""", "out_of_range", "/weight")]
    [InlineData("""{"weight":1.5}""", "invalid_format", "/weight")]
    [InlineData("""{"weight":1e400}""", "invalid_format", "/weight")]
    public async Task A_number_that_the_field_cannot_hold_fails(string record, string code, string pointer) =>
        await ShouldFailAsync("gadgets", record, code, pointer);

    [Fact]
    public async Task A_job_completes_when_every_record_is_wrong()
    {
        var job = await server.RunAsync(server.ClientOf(_company), HttpMethod.Patch, "cases/bulk", """[{},{"id":5},{"id":"x"}]""");
        job.Text("status").ShouldBe("completed");
        job.GetProperty("total_records").GetInt64().ShouldBe(3);
        job.GetProperty("effected_records").GetInt64().ShouldBe(0);
        job.Text("message")!.ShouldStartWith("---------------------------\nRecord #0 failed with the following errors:\n\n");
    }

    private async Task ShouldFailAsync(string path, string record, string code, string pointer)
    {
        var client = server.ClientOf(_company);
        var job = await server.RunAsync(client, HttpMethod.Post, $"{path}/bulk", $"[{record}]");
        var answer = await client.SendAsync(HttpMethod.Get, $"api-jobs/{job.Text("id")}/records");
        var error = (await answer.JsonAsync()).GetProperty("data")[0].GetProperty("errors")[0];
        error.Text("code").ShouldBe(code);
        error.Text("pointer").ShouldBe(pointer);
    }

    [Theory]
    [InlineData("80000000")]
    [InlineData("7fffffffffffffff")]
    [InlineData("ffffffffffffffffffffffff")]
    [InlineData("-1")]
    [InlineData("zz")]
    public async Task A_chunk_size_that_cannot_be_one_is_refused(string size)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(server.Address.Host, server.Address.Port, TestContext.Current.CancellationToken);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"POST {ApiServer.Prefix}/cases/bulk HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TestAuthentication.Token(_company, "cases:write")}\r\n"
            + $"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n{size}\r\n[{{}}]\r\n0\r\n\r\n"),
            TestContext.Current.CancellationToken);
        using var reader = new StreamReader(stream);
        var answer = await reader.ReadToEndAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        answer.ShouldStartWith("HTTP/1.1 400 ");
        answer.ShouldContain("application/problem+json");
        (await server.CountStoredRowsAsync(_company)).ShouldBe(0);
        server.Warnings.ShouldBeEmpty();
    }

    private static byte[] Gzip(byte[] bytes)
    {
        var encoded = new MemoryStream();
        using (var gzip = new GZipStream(encoded, CompressionLevel.SmallestSize))
            gzip.Write(bytes);
        return encoded.ToArray();
    }

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);
}
