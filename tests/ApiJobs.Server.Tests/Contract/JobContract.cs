using System.Net;
using System.Text.Json;

namespace ApiJobs.Server.Tests.Contract;

/// <summary><c>GET /api-jobs/{id}</c>.</summary>
public abstract class JobContract(ApiServer server)
{
    private readonly Guid _company = ApiServer.NewCompany();

    [Fact]
    public async Task An_ended_job_has_the_seeds_members_in_order_and_says_what_failed()
    {
        var client = server.ClientOf(_company);
        var (known, unknown) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await server.RunAsync(client, HttpMethod.Post, "cases/bulk", $$"""[{"id":"{{known}}","email":"a@example.com"}]""");

        var job = await server.RunAsync(client, HttpMethod.Patch, "cases/bulk",
            $$"""[{"id":"{{known}}","email":"b@example.com"},{"id":"{{unknown}}","email":"c"},{"id":"{{known}}","email":"b@example.com"}]""");

        job.MemberNames().ShouldBe([
            "id", "type", "company_id", "start_time", "end_time", "status", "message",
            "total_records", "effected_records", "created_at", "updated_at"]);
        job.Text("type").ShouldBe("customer_case_bulk_update");
        job.Text("company_id").ShouldBe(_company.ToString());
        job.Text("status").ShouldBe("completed");
        job.GetProperty("total_records").GetInt64().ShouldBe(3);
        job.GetProperty("effected_records").GetInt64().ShouldBe(1);
        job.Text("start_time")!.ShouldMatch(@"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$");
        job.Text("end_time")!.ShouldMatch(@"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$");
        job.Text("created_at")!.ShouldMatch(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$");
        job.Text("message").ShouldBe(Entry(unknown) + Entry(known));
    }

    [Fact]
    public async Task An_unfinished_job_says_when_to_ask_again_and_an_ended_one_does_not()
    {
        var client = server.ClientOf(_company);
        Uri location;
        using (server.Store.HoldWork())
        {
            var accepted = await client.SendJsonAsync(HttpMethod.Post, "cases/bulk", """[{"ref":"A"}]""");
            location = accepted.Headers.Location!;
            var pending = await client.SendAsync(HttpMethod.Get, location.ToString());
            pending.Headers.RetryAfter!.Delta!.Value.ShouldBeInRange(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(600));
            (await pending.JsonAsync()).Text("status").ShouldBe("pending");
        }

        await server.EndOfAsync(client, location);
        (await client.SendAsync(HttpMethod.Get, location.ToString())).Headers.NonValidated.Contains("Retry-After").ShouldBeFalse();
    }

    [Fact]
    public async Task Every_answer_has_a_strong_tag_that_a_client_can_ask_with()
    {
        var client = server.ClientOf(_company);
        var url = await EndedJobAsync(client);

        var first = await client.SendAsync(HttpMethod.Get, url);
        var tag = first.Headers.ETag!;
        tag.IsWeak.ShouldBeFalse();
        first.Headers.CacheControl!.ToString().ShouldBe("no-cache, private");
        foreach (var known in new[] { $"{tag}", $"W/{tag}", "*", $"\"other\", {tag}", $"\"a\",W/{tag} , \"b\"" })
        {
            var again = await client.SendAsync(HttpMethod.Get, url, headers: headers => headers.TryAddWithoutValidation("If-None-Match", known));
            again.StatusCode.ShouldBe(HttpStatusCode.NotModified, known);
            again.Headers.ETag.ShouldBe(tag);
            (await again.TextAsync()).ShouldBeEmpty();
        }

        foreach (var unknown in new[] { "\"other\"", "not a tag", "" })
        {
            var whole = await client.SendAsync(HttpMethod.Get, url, headers: headers => headers.TryAddWithoutValidation("If-None-Match", unknown));
            whole.StatusCode.ShouldBe(HttpStatusCode.OK, unknown);
        }
    }

    [Fact]
    public async Task A_job_that_has_moved_on_has_another_tag()
    {
        var client = server.ClientOf(_company);
        HttpResponseMessage pending;
        using (server.Store.HoldWork())
        {
            var accepted = await client.SendJsonAsync(HttpMethod.Post, "cases/bulk", "[{}]");
            pending = await client.SendAsync(HttpMethod.Get, accepted.Headers.Location!.ToString());
        }

        var url = pending.RequestMessage!.RequestUri!;
        await server.EndOfAsync(client, url);
        var ended = await client.SendAsync(
            HttpMethod.Get, url.AbsolutePath, headers: headers => headers.TryAddWithoutValidation("If-None-Match", $"{pending.Headers.ETag}"));
        ended.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Counts_and_links_are_shown_when_asked_for()
    {
        var client = server.ClientOf(_company);
        var url = await EndedJobAsync(client);

        var both = await (await client.SendAsync(HttpMethod.Get, $"{url}?expand=counts,links")).JsonAsync();
        both.GetProperty("counts").EnumerateObject().Sum(count => count.Value.GetInt64()).ShouldBe(both.GetProperty("total_records").GetInt64());
        both.GetProperty("links").Text("self").ShouldBe(url);
        (await client.SendAsync(HttpMethod.Get, both.GetProperty("links").Text("records")!)).StatusCode.ShouldBe(HttpStatusCode.OK);

        var links = await (await client.SendAsync(HttpMethod.Get, $"{url}?expand=links")).JsonAsync();
        links.MemberNames()[11..].ShouldBe(["links"]);
    }

    [Theory]
    [InlineData("expand=everything", "counts, links")]
    [InlineData("expand=counts&expand=links", "once")]
    [InlineData("expand=", "counts, links")]
    [InlineData("expnd=counts", "expand")]
    [InlineData("Expand=counts", "expand")]
    public async Task A_parameter_that_cannot_be_meant_is_refused_with_what_is_allowed(string query, string allowed)
    {
        var client = server.ClientOf(_company);
        var answer = await client.SendAsync(HttpMethod.Get, $"api-jobs/{Guid.CreateVersion7()}?{query}");
        (await answer.ShouldBeProblemAsync(400, "invalid_parameter")).Text("detail")!.ShouldContain(allowed);
    }

    [Fact]
    public async Task HEAD_gives_the_headers_of_GET_without_a_body()
    {
        var client = server.ClientOf(_company);
        var url = await EndedJobAsync(client);
        var get = await client.SendAsync(HttpMethod.Get, url);
        var head = await client.SendAsync(HttpMethod.Head, url);
        head.StatusCode.ShouldBe(HttpStatusCode.OK);
        head.Headers.ETag.ShouldBe(get.Headers.ETag);
        head.Content.Headers.ContentLength.ShouldBe(get.Content.Headers.ContentLength);
        (await head.TextAsync()).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("1")]
    [InlineData("43dbbc35-d114-4da5-a1c0-6abbea6d7bf")]
    [InlineData("43dbbc35d1144da5a1c06abbea6d7bf5")]
    [InlineData("{43dbbc35-d114-4da5-a1c0-6abbea6d7bf5}")]
    [InlineData("%00")]
    [InlineData("%ff%fe")]
    [InlineData("'%20OR%201=1%20--")]
    public async Task An_id_that_is_not_a_UUID_is_refused(string id)
    {
        var client = server.ClientOf(_company);
        var answer = await client.SendAsync(HttpMethod.Get, $"api-jobs/{id}");
        ((int)answer.StatusCode).ShouldBe(400);
    }

    [Fact]
    public async Task Another_companys_job_cannot_be_told_from_one_that_does_not_exist()
    {
        var url = await EndedJobAsync(server.ClientOf(_company));
        var other = await server.ClientOf(ApiServer.NewCompany()).SendAsync(HttpMethod.Get, url);
        var problem = await other.ShouldBeProblemAsync(404, "not_found");

        var absentUrl = $"{ApiServer.Prefix}/api-jobs/{Guid.CreateVersion7()}";
        var absent = await server.ClientOf(_company).SendAsync(HttpMethod.Get, absentUrl);
        var id = absentUrl[^36..];
        (await absent.TextAsync()).Replace(id, url[^36..], StringComparison.Ordinal).ShouldBe(problem.GetRawText());
        // How many requests each caller has left is its own.
        absent.Headers.Remove("RateLimit").ShouldBe(other.Headers.Remove("RateLimit"));
        absent.Headers.ToString().ShouldBe(other.Headers.ToString().Replace(url[^36..], id, StringComparison.Ordinal), StringCompareShould.IgnoreCase);
    }

    private static string Entry(Guid id) =>
        $"---------------------------\nCase ID: {id} failed with the following errors:\n\n"
        + "Case does not exist or record already updated.\n---------------------------";

    private async Task<string> EndedJobAsync(HttpClient client)
    {
        JsonElement job = await server.RunAsync(client, HttpMethod.Post, "cases/bulk", "[{},{},{}]");
        return $"{ApiServer.Prefix}/api-jobs/{job.Text("id")}";
    }
}
