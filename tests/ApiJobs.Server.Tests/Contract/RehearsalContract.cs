using System.Net;
using System.Text.Json;

namespace ApiJobs.Server.Tests.Contract;

/// <summary>Bulk requests with <c>dry_run</c>.</summary>
public abstract class RehearsalContract(ApiServer server)
{
    private readonly Guid _company = ApiServer.NewCompany();

    [Fact]
    public async Task A_rehearsal_tells_of_each_record_and_of_the_whole_what_the_request_then_does()
    {
        var client = server.ClientOf(_company);
        // More than one chunk: ids twice, a ref that is taken in a chunk before, and two records that cannot be read.
        var records = string.Join(',', Enumerable.Range(0, 25).Select(i => $$$"""{"id":"00000000-0000-7000-8000-0000000000{{{i % 20:00}}}","ref":"R{{{i % 15}}}","meta":{"a":"{{{i}}}"}}"""));
        var body = $$"""[{{records}},{"id":"x"},{"colour":1}]""";

        var rehearsed = await server.RunAsync(client, HttpMethod.Put, "cases/bulk?dry_run=true", body);
        (await RowsAsync(client)).GetArrayLength().ShouldBe(0);
        var done = await server.RunAsync(client, HttpMethod.Put, "cases/bulk", body);

        (await RecordsAsync(client, rehearsed)).ShouldBe(await RecordsAsync(client, done));
        foreach (var member in new[] { "type", "status", "total_records", "effected_records" })
            rehearsed.GetProperty(member).GetRawText().ShouldBe(done.GetProperty(member).GetRawText());
        rehearsed.GetProperty("effected_records").GetInt64().ShouldBe(15);
        rehearsed.Text("message").ShouldNotBeEmpty();
        rehearsed.Text("message").ShouldBe(done.Text("message"));
        (await RowsAsync(client)).GetArrayLength().ShouldBe(15);
    }

    [Fact]
    public async Task A_rehearsal_changes_no_row()
    {
        var client = server.ClientOf(_company);
        var id = Guid.CreateVersion7();
        await server.RunAsync(client, HttpMethod.Post, "cases/bulk", $$"""[{"id":"{{id}}","ref":"R","notes":"n"}]""");
        var before = (await RowsAsync(client)).GetRawText();

        var job = await server.RunAsync(client, HttpMethod.Patch, "cases/bulk?dry_run=true", $$"""[{"id":"{{id}}","ref":"S","notes":"m"}]""");
        await server.RunAsync(client, HttpMethod.Put, "cases/bulk?dry_run=true&key=ref", """[{"ref":"R","notes":"m"},{"ref":"T"}]""");

        job.GetProperty("effected_records").GetInt64().ShouldBe(1);
        (await RowsAsync(client)).GetRawText().ShouldBe(before);
    }

    [Theory]
    [InlineData("maybe")]
    [InlineData("")]
    [InlineData("True")]
    [InlineData("1")]
    [InlineData("true&dry_run=true")]
    [InlineData("true%00")]
    public async Task Anything_but_true_and_false_is_refused_and_nothing_is_kept(string value)
    {
        var answer = await server.ClientOf(_company).SendJsonAsync(HttpMethod.Post, $"cases/bulk?dry_run={value}", "[{}]");
        (await answer.ShouldBeProblemAsync(400, "invalid_parameter")).Text("detail")!.ShouldContain("'dry_run'");
        (await server.CountStoredRowsAsync(_company)).ShouldBe(0);
    }

    [Fact]
    public async Task False_is_to_do_it()
    {
        var client = server.ClientOf(_company);
        await server.RunAsync(client, HttpMethod.Post, "cases/bulk?dry_run=false", "[{}]");
        (await RowsAsync(client)).GetArrayLength().ShouldBe(1);
    }

    [Theory]
    [InlineData("[{}]")]
    [InlineData("[{")]
    public async Task An_operation_that_cannot_be_rehearsed_says_so_whatever_the_body(string body)
    {
        var answer = await server.ClientOf(_company).SendJsonAsync(HttpMethod.Post, "cases/tags/bulk?dry_run=true", body);
        (await answer.ShouldBeProblemAsync(400, "not_rehearsable")).Text("detail")!.ShouldContain("'case_tag_bulk_create'");
        (await server.CountStoredRowsAsync(_company)).ShouldBe(0);
    }

    [Fact]
    public async Task Who_may_not_write_may_not_rehearse_either()
    {
        var answer = await server.ClientOf(_company, "jobs:read cases:read").SendJsonAsync(HttpMethod.Post, "cases/bulk?dry_run=true", "[{}]");
        answer.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    private static async Task<JsonElement> RowsAsync(HttpClient client) =>
        (await (await client.SendAsync(HttpMethod.Get, "cases?perPage=100")).JsonAsync()).GetProperty("data");

    private static async Task<string> RecordsAsync(HttpClient client, JsonElement job) =>
        await (await client.SendAsync(HttpMethod.Get, $"api-jobs/{job.Text("id")}/records?limit=1000")).TextAsync();
}
