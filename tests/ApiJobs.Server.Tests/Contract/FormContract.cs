using System.IO.Compression;
using System.Net;
using System.Text;

namespace ApiJobs.Server.Tests.Contract;

/// <summary>Files as browsers and <c>curl -F</c> send them.</summary>
public abstract class FormContract(ApiServer server)
{
    private const string Boundary = "----form";

    private readonly Guid _company = ApiServer.NewCompany();

    private HttpClient Client => field ??= server.ClientOf(_company);

    [Theory]
    [InlineData("file", "a.csv", "application/octet-stream", "ref\nA\n")]
    [InlineData("whatever", "A.CSV", null, "ref\nA\n")]
    [InlineData("", "a.ndjson", "application/octet-stream", "{\"ref\":\"A\"}\n")]
    [InlineData("file", "a.jsonl", "", "{\"ref\":\"A\"}")]
    [InlineData("file", "a.json", "application/octet-stream", "[{\"ref\":\"A\"}]")]
    [InlineData("file", "a.txt", "text/csv", "ref\nA\n")]
    [InlineData("file", "a.csv", "application/json", "[{\"ref\":\"A\"}]")]
    [InlineData("file", "", "text/csv; charset=utf-8", "ref\nA\n")]
    [InlineData("file", "..\\\\..\\\\a \\\"b\\\".csv", "application/vnd.ms-excel", "ref\r\nA\r\n")]
    public async Task One_file_is_taken_by_its_media_type_or_else_by_its_name(string field, string name, string? type, string content)
    {
        var answer = await SendAsync(Part($"name=\"{field}\"; filename=\"{name}\"", type, Encoding.UTF8.GetBytes(content)));
        answer.StatusCode.ShouldBe(HttpStatusCode.Accepted, await answer.TextAsync());
        (await server.EndOfAsync(Client, answer.Headers.Location!)).GetProperty("effected_records").GetInt64().ShouldBe(1);
    }

    [Fact]
    public async Task A_compressed_file_is_taken()
    {
        var content = new MemoryStream();
        using (var gzip = new GZipStream(content, CompressionLevel.Optimal))
            gzip.Write("ref\nA\nB\n"u8);
        var answer = await SendAsync(Part("name=f; filename=\"a.csv.gz\"", "application/gzip", content.ToArray()));
        (await server.EndOfAsync(Client, answer.Headers.Location!)).GetProperty("effected_records").GetInt64().ShouldBe(2);
    }

    [Fact]
    public async Task A_large_file_is_streamed_in_chunks()
    {
        var rows = string.Concat(Enumerable.Range(0, 5_000).Select(nth => $"R-{nth},\"some\r\n--{Boundary[..5]} text\"\r\n"));
        var answer = await SendAsync(Part("name=file; filename=a.csv", "text/csv", Encoding.UTF8.GetBytes($"ref,notes\r\n{rows}")));
        (await server.EndOfAsync(Client, answer.Headers.Location!)).GetProperty("effected_records").GetInt64().ShouldBe(5_000);
    }

    /// <summary>Forms that are not one file: what is wrong, the form, and what the answer says.</summary>
    public static TheoryData<string, string, string> Refused => new()
    {
        { "two files", Text(File("a.csv", "ref\nA\n"), File("b.csv", "ref\nB\n")), "more than the one file" },
        { "a field after the file", Text(File("a.csv", "ref\nA\n"), Field("note", "x")), "'note'" },
        { "a field before the file", Text(Field("note", "x"), File("a.csv", "ref\nA\n")), "'note'" },
        { "two files, the first of several chunks", Text(File("a.csv", $"ref\n{string.Concat(Enumerable.Range(0, 100).Select(nth => $"{nth}\n"))}"), File("b.csv", "")), "more than the one file" },
        { "a field alone", Text(Field("file", "ref\nA\n")), "no file" },
        { "nothing", "", "ends before" },
        { "no part", $"--{Boundary}--\r\n", "empty" },
        { "no end", Text(File("a.csv", "ref\nA\n"))[..^8], "last boundary" },
        { "no end, in the middle of the last boundary", Text(File("a.csv", "ref\nA\n"))[..^3], "last boundary" },
        { "no end, after a boundary that is not the last", Text(File("a.csv", "ref\nA\n"))[..^4] + "\r\n", "last boundary" },
        { "much text after the last boundary", Text(File("a.csv", "ref\nA\n")) + new string('x', 100_000), "after the last" },
        { "no end, in the middle of many rows", Text(File("a.csv", $"ref\n{string.Concat(Enumerable.Range(0, 5_000).Select(nth => $"R{nth}\n"))}"))[..20_000], "last boundary" },
        { "another boundary", Text(File("a.csv", "ref\nA\n")).Replace(Boundary, "--other", StringComparison.Ordinal), "last boundary" },
        { "headers without an end", $"--{Boundary}\r\n{string.Concat(Enumerable.Repeat("X: y\r\n", 10_000))}", "too long" },
        { "a header without an end", $"--{Boundary}\r\nX: {new string('y', 100_000)}", "too long" },
        { "a part without headers", $"--{Boundary}\r\n\r\nref\nA\n\r\n--{Boundary}--\r\n", "no file" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task A_form_that_is_not_one_file_is_refused_and_leaves_nothing(string what, string form, string reason)
    {
        var answer = await Client.SendAsync(HttpMethod.Post, "cases/bulk", Encoding.UTF8.GetBytes(form), $"multipart/form-data; boundary={Boundary}");
        (await answer.ShouldBeProblemAsync(400, "invalid_form")).Text("detail")!.ShouldContain(reason, customMessage: what);
        (await server.CountStoredRowsAsync(_company)).ShouldBe(0);
    }

    [Theory]
    [InlineData("multipart/form-data")]
    [InlineData("multipart/form-data; boundary=")]
    [InlineData("multipart/form-data; boundary=\"\"")]
    [InlineData("multipart/form-data; boundary=aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggghhhhhhhhhh")]
    public async Task A_form_without_a_boundary_is_refused(string type) =>
        await (await Client.SendAsync(HttpMethod.Post, "cases/bulk", Encoding.UTF8.GetBytes(Text(File("a.csv", "ref\nA\n"))), type)).ShouldBeProblemAsync(400, "invalid_form");

    [Theory]
    [InlineData("a.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")]
    [InlineData("a", null)]
    [InlineData("a.gz", "application/gzip")]
    [InlineData("a.csv.zip", "application/zip")]
    [InlineData("a.csv", "text/csv; charset=iso-8859-1")]
    [InlineData("a.csv", "text/csv; header=absent")]
    [InlineData("a.csv.gz", "TEXT/CSV; charset=utf-16")]
    public async Task A_file_of_an_unknown_type_is_refused_with_the_types_and_the_names(string name, string? type)
    {
        var answer = await SendAsync(Part($"name=file; filename=\"{name}\"", type, "x"u8.ToArray()));
        var detail = (await answer.ShouldBeProblemAsync(415, "unsupported_media_type")).Text("detail")!;
        detail.ShouldContain("text/csv");
        detail.ShouldContain(".csv");
        detail.ShouldContain(name);
    }

    [Fact]
    public async Task What_is_wrong_with_the_file_is_told_as_without_a_form()
    {
        var answer = await SendAsync(Part("name=file; filename=a.csv", null, Encoding.UTF8.GetBytes("ref,postcod\nA,LS1\n")));
        (await answer.ShouldBeProblemAsync(400, "wrong_shape")).Text("detail")!.ShouldContain("'postcod' (the nearest is 'postcode')");
        var large = Encoding.UTF8.GetBytes($"ref\n{new string('x', (int)ApiServer.MaxBodyBytes)}\n");
        await (await SendAsync(Part("name=file; filename=a.csv", null, large))).ShouldBeProblemAsync(413, "body_too_large");
        (await server.CountStoredRowsAsync(_company)).ShouldBe(0);
    }

    private Task<HttpResponseMessage> SendAsync(byte[] part) => Client.SendAsync(
        HttpMethod.Post, "cases/bulk", [.. part, .. Encoding.UTF8.GetBytes($"\r\n--{Boundary}--\r\n")], $"multipart/form-data; boundary=\"{Boundary}\"");

    private static byte[] Part(string disposition, string? type, byte[] content)
    {
        var typeLine = type is null ? "" : $"Content-Type: {type}\r\n";
        return [.. Encoding.UTF8.GetBytes($"--{Boundary}\r\nContent-Disposition: form-data; {disposition}\r\n{typeLine}\r\n"), .. content];
    }

    private static string File(string name, string content) => $"Content-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n{content}";

    private static string Field(string name, string value) => $"Content-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}";

    private static string Text(params string[] parts) => $"{string.Concat(parts.Select(part => $"--{Boundary}\r\n{part}\r\n"))}--{Boundary}--\r\n";
}

public sealed class FormsOnSqlite(SqliteApiServer server) : FormContract(server), IClassFixture<SqliteApiServer>;

public sealed class FormsOnPostgreSql(PostgreSqlApiServer server) : FormContract(server), IClassFixture<PostgreSqlApiServer>;
