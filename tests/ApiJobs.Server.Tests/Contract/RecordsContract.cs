using System.Net;
using System.Text.Json;
using ApiJobs.Storage;

namespace ApiJobs.Server.Tests.Contract;

/// <summary><c>GET /api-jobs/{id}/records</c>.</summary>
public abstract class RecordsContract(ApiServer server)
{
    private readonly Guid _company = ApiServer.NewCompany();

    [Fact]
    public async Task Each_record_is_told_with_its_index_key_outcome_and_errors()
    {
        var client = server.ClientOf(_company);
        var id = Guid.CreateVersion7();
        var job = await server.RunAsync(client, HttpMethod.Put, "cases/bulk", $$"""[{"id":"{{id}}"},{"id":"{{id}}"},{"id":"x"}]""");

        var answer = await client.SendAsync(HttpMethod.Get, $"api-jobs/{job.Text("id")}/records");
        (await answer.TextAsync()).ShouldBe(
            $$"""{"data":[{"index":0,"key":"{{id}}","outcome":"created","errors":[]},{"index":1,"key":"{{id}}","outcome":"unchanged","errors":[]},"""
            + """{"index":2,"key":"x","outcome":"failed","errors":[{"code":"invalid_format","message":"'x' is not a UUID like 4528a261-917d-4cbc-939e-7ea48cffca69.","pointer":"/id"}]}]}""");
        answer.NextLink().ShouldBeNull();
    }

    [Fact]
    public async Task An_id_that_the_engine_made_is_told()
    {
        var client = server.ClientOf(_company);
        var job = await server.RunAsync(client, HttpMethod.Post, "cases/bulk", "[{}]");
        var records = await PagesAsync(client, $"{ApiServer.Prefix}/api-jobs/{job.Text("id")}/records");
        var row = await client.SendAsync(HttpMethod.Get, $"cases/{records.Single().Text("key")}");
        row.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("limit=1", 25)]
    [InlineData("limit=7", 25)]
    [InlineData("limit=10", 25)]
    [InlineData("limit=1000", 25)]
    [InlineData("outcome=failed&limit=2", 5)]
    [InlineData("outcome=created&limit=3", 20)]
    [InlineData("outcome=created,failed", 25)]
    [InlineData("outcome=unchanged,updated,unprocessed", 0)]
    public async Task Following_the_links_gives_every_record_once_and_in_order(string query, int count)
    {
        var client = server.ClientOf(_company);
        var records = string.Join(',', Enumerable.Range(0, 25).Select(index => index % 5 == 4 ? """{"id":"bad"}""" : "{}"));
        var job = await server.RunAsync(client, HttpMethod.Post, "cases/bulk", $"[{records}]");
        var all = await PagesAsync(client, $"{ApiServer.Prefix}/api-jobs/{job.Text("id")}/records?{query}");
        all.Count.ShouldBe(count);
        var indexes = all.ConvertAll(record => record.GetProperty("index").GetInt64());
        indexes.ShouldBe([.. indexes.Distinct().Order()]);
    }

    [Fact]
    public async Task A_rare_outcome_in_a_large_job_is_found_over_several_pages()
    {
        var client = server.ClientOf(_company);
        var records = string.Join(',', Enumerable.Repeat("{}", 100 * ApiServer.ChunkRecords));
        var job = await server.RunAsync(client, HttpMethod.Post, "cases/bulk", $$"""[{{records}},{"id":"bad"}]""");
        var url = $"{ApiServer.Prefix}/api-jobs/{job.Text("id")}/records?outcome=failed";
        var first = await client.SendAsync(HttpMethod.Get, url);
        (await first.JsonAsync()).GetProperty("data").GetArrayLength().ShouldBe(0);
        first.NextLink().ShouldNotBeNull();
        (await PagesAsync(client, url)).Single().GetProperty("index").GetInt64().ShouldBe(100 * ApiServer.ChunkRecords);
    }

    [Fact]
    public async Task Records_that_are_no_longer_kept_are_gone_and_the_job_still_says_what_became_of_them()
    {
        var client = server.ClientOf(_company);
        var job = await server.RunAsync(client, HttpMethod.Post, "cases/bulk", "[{},{}]");
        while (await server.Store.RemoveEndedAsync(_company, TimeSpan.Zero, EndedPart.Records, TestContext.Current.CancellationToken)) { }

        var records = await client.SendAsync(HttpMethod.Get, $"api-jobs/{job.Text("id")}/records");
        records.StatusCode.ShouldBe(HttpStatusCode.Gone);
        (await records.JsonAsync()).Text("code").ShouldBe("records_removed");
        var again = await client.SendAsync(HttpMethod.Get, $"api-jobs/{job.Text("id")}");
        (await again.JsonAsync()).GetProperty("effected_records").GetInt64().ShouldBe(2);
    }

    [Fact]
    public async Task Records_of_a_pending_job_are_unprocessed()
    {
        var client = server.ClientOf(_company);
        using var held = server.Store.HoldWork();
        var accepted = await client.SendJsonAsync(HttpMethod.Post, "cases/bulk", """[{"id":"bad"},{}]""");
        var records = await PagesAsync(client, $"{accepted.Headers.Location}/records");
        records.Select(record => record.Text("outcome")).ShouldBe(["unprocessed", "unprocessed"]);
    }

    [Theory]
    [InlineData("limit=0", "1 to 1000")]
    [InlineData("limit=1001", "1 to 1000")]
    [InlineData("limit=-1", "1 to 1000")]
    [InlineData("limit=ten", "1 to 1000")]
    [InlineData("limit=99999999999999", "1 to 1000")]
    [InlineData("outcome=broken", "failed")]
    [InlineData("outcome=failed,", "failed")]
    [InlineData("cursor=", "cursor")]
    [InlineData("cursor=abc", "cursor")]
    [InlineData("cursor=AAAAAAAAAAAAAAAA", null)]
    [InlineData("cursor=AAAAAQAAAAAAAAAB", "cursor")]
    [InlineData("cursor=_____________w__", "cursor")]
    [InlineData("cursor=ééééééééééééééé%C3%A9", "cursor")]
    [InlineData("page=2", "cursor")]
    public async Task A_parameter_that_cannot_be_meant_is_refused_with_what_is_allowed(string query, string? allowed)
    {
        var client = server.ClientOf(_company);
        var job = await server.RunAsync(client, HttpMethod.Post, "cases/bulk", "[{}]");
        var answer = await client.SendAsync(HttpMethod.Get, $"api-jobs/{job.Text("id")}/records?{query}");
        if (allowed is null)
            answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        else
            (await answer.ShouldBeProblemAsync(400, "invalid_parameter")).Text("detail")!.ShouldContain(allowed);
    }

    private static async Task<List<JsonElement>> PagesAsync(HttpClient client, string url)
    {
        var all = new List<JsonElement>();
        for (string? next = url; next is not null;)
        {
            var answer = await client.SendAsync(HttpMethod.Get, next);
            answer.StatusCode.ShouldBe(HttpStatusCode.OK);
            all.AddRange((await answer.JsonAsync()).GetProperty("data").EnumerateArray());
            next = answer.NextLink();
        }

        return all;
    }
}
