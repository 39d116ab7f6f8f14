using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using ApiJobs.Jobs;
using Microsoft.Extensions.DependencyInjection;

namespace ApiJobs.Server.Tests.Contract;

/// <summary><c>GET /api-jobs</c>, and what a job is expanded by.</summary>
public abstract class JobListContract(ApiServer server)
{
    private const string NotThere = """{"id":"00000000-0000-7000-8000-000000000000","email":"a@example.com"}""";

    private readonly Guid _company = ApiServer.NewCompany();

    private HttpClient Client => field ??= server.ClientOf(_company);

    [Fact]
    public async Task Jobs_are_listed_newest_first_each_as_it_is_shown_by_itself()
    {
        var urls = new List<string>();
        for (var count = 0; count < 3; count++)
            urls.Insert(0, Url(await RunAsync("[{},{}]")));
        urls.Insert(0, Url(await RunAsync($"[{NotThere}]", HttpMethod.Patch)));

        var answer = await Client.SendAsync(HttpMethod.Get, "api-jobs");
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        answer.NextLink().ShouldBeNull();
        var alone = new List<string>();
        foreach (var url in urls)
            alone.Add(await (await Client.SendAsync(HttpMethod.Get, url)).TextAsync());
        (await answer.TextAsync()).ShouldBe($$"""{"data":[{{string.Join(',', alone)}}]}""");
    }

    [Fact]
    public async Task The_next_page_keeps_the_filters_and_the_expansions()
    {
        for (var count = 0; count < 5; count++)
            await RunAsync("[{}]");
        await RunAsync("[{}]", path: "customers/bulk");

        var next = $"{ApiServer.Prefix}/api-jobs?limit=2&type=customer_case_bulk_create&expand=counts,links&created_after=2020-01-01%2000:00:00";
        var (ids, pages) = (new List<string>(), 0);
        for (; next is not null; pages++)
        {
            var answer = await Client.SendAsync(HttpMethod.Get, next);
            foreach (var job in await DataAsync(answer))
            {
                ids.Add(job.Text("id")!);
                job.Text("type").ShouldBe("customer_case_bulk_create");
                job.MemberNames()[11..].ShouldBe(["counts", "links"]);
            }

            next = answer.NextLink();
        }

        (ids.Count, ids.Distinct().Count(), pages).ShouldBe((5, 5, 3));
        ids.ShouldBe(ids.OrderDescending(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Every_filter_finds_its_jobs_and_all_together_find_those_that_pass_all()
    {
        // First, while no worker is in the company's lane that might go on with it.
        string cancelled;
        using (server.Store.HoldWork())
        {
            cancelled = Id(await (await Client.SendJsonAsync(HttpMethod.Post, "cases/bulk", "[{}]")).JsonAsync());
            (await IdsAsync("status=pending")).ShouldBe([cancelled]);
            await server.Services.GetRequiredService<ApiJobEngine>().EndJobAsync(
                _company, Guid.Parse(cancelled), new("cancelled", "By the test."), TestContext.Current.CancellationToken);
        }

        var good = Id(await RunAsync("[{}]"));
        var failing = Id(await RunAsync($"[{NotThere}]", HttpMethod.Patch));
        (await IdsAsync("status=completed")).ShouldBe([failing, good]);
        (await IdsAsync("status=failed")).ShouldBe([cancelled]);
        (await IdsAsync("status=pending")).ShouldBeEmpty();
        (await IdsAsync("status=processing")).ShouldBeEmpty();
        (await IdsAsync("type=customer_case_bulk_update")).ShouldBe([failing]);
        (await IdsAsync("has_failed=true")).ShouldBe([failing]);
        (await IdsAsync("has_failed=false")).ShouldBe([good, cancelled]);
        (await IdsAsync("dry_run=true")).ShouldBeEmpty();
        (await IdsAsync("dry_run=false")).Count.ShouldBe(3);
        (await IdsAsync($"parent_id={good}")).ShouldBeEmpty();
        (await IdsAsync("client_id=nobody")).ShouldBeEmpty();
        (await IdsAsync("status=completed&type=customer_case_bulk_update&has_failed=true&dry_run=false&created_after=2020-01-01T00:00:00Z")).ShouldBe([failing]);
        (await IdsAsync("status=failed&has_failed=true")).ShouldBeEmpty();
    }

    [Fact]
    public async Task The_first_time_is_inclusive_and_the_last_exclusive_in_both_forms()
    {
        var job = await RunAsync("[{}]");
        var created = job.Text("created_at")!;
        (await IdsAsync($"created_after={created}")).ShouldBe([Id(job)]);
        (await IdsAsync($"created_before={created}")).ShouldBeEmpty();

        var second = DateTimeOffset.Parse(created, CultureInfo.InvariantCulture).UtcDateTime;
        var (from, to) = (Seconds(second), Seconds(second.AddSeconds(1)));
        (await IdsAsync($"created_after={from}&created_before={to}")).ShouldBe([Id(job)]);
        (await IdsAsync($"created_after={to}")).ShouldBeEmpty();
        (await IdsAsync($"created_before={from}")).ShouldBeEmpty();
        (await IdsAsync("created_after=0001-01-01 00:00:00&created_before=9999-12-31T23:59:59.999999Z")).ShouldBe([Id(job)]);
        (await IdsAsync("created_after=9999-12-31 23:59:59")).ShouldBeEmpty();
        (await IdsAsync("created_before=0001-01-01 00:00:00")).ShouldBeEmpty();

        static string Seconds(DateTime time) => time.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
    }

    [Theory]
    [InlineData("status=done", "pending, processing, completed, failed")]
    [InlineData("status=Pending", "pending, processing, completed, failed")]
    [InlineData("status=", "pending, processing, completed, failed")]
    [InlineData("type=customer_case_bulk_delete", "customer_case_bulk_create")]
    [InlineData("has_failed=yes", "true, false")]
    [InlineData("dry_run=1", "true, false")]
    [InlineData("created_after=yesterday", "YYYY-MM-DD HH:mm:ss")]
    [InlineData("created_after=2024-02-30 00:00:00", "YYYY-MM-DD HH:mm:ss")]
    [InlineData("created_before=2024-02-21T10:21:31", "YYYY-MM-DD HH:mm:ss")]
    [InlineData("created_before=2024-02-21T10:21:31%2B02:00", "YYYY-MM-DD HH:mm:ss")]
    [InlineData("client_id=", "client_id")]
    [InlineData("client_id=a%00b", "U+0000")]
    [InlineData("parent_id=1", "UUID")]
    [InlineData("limit=0", "1 to 100")]
    [InlineData("limit=101", "1 to 100")]
    [InlineData("limit=ten", "1 to 100")]
    [InlineData("cursor=", "Link header")]
    [InlineData("cursor=!!", "Link header")]
    [InlineData("cursor=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "Link header")]
    [InlineData("cursor=_____________________________3__", "Link header")]
    [InlineData("cursor=AAAA", "Link header")]
    [InlineData("expand=everything", "counts, links, failure, origin, progress")]
    [InlineData("status=failed&status=failed", "once")]
    [InlineData("offset=10", "offset")]
    public async Task A_parameter_that_cannot_be_meant_is_refused_with_what_is_allowed(string query, string allowed)
    {
        var answer = await Client.SendAsync(HttpMethod.Get, $"api-jobs?{query}");
        (await answer.ShouldBeProblemAsync(400, "invalid_parameter")).Text("detail")!.ShouldContain(allowed);
    }

    [Fact]
    public async Task A_long_message_is_cut_after_a_kilobyte_in_whole_entries()
    {
        var job = await RunAsync($"[{string.Join(',', Enumerable.Repeat(NotThere, 30))}]", HttpMethod.Patch);
        var whole = job.Text("message")!;

        var listed = (await DataAsync(await Client.SendAsync(HttpMethod.Get, "api-jobs"))).ShouldHaveSingleItem();

        var lines = listed.Text("message")!;
        var entries = lines[..lines.LastIndexOf('\n')];
        whole.ShouldStartWith(entries);
        Encoding.UTF8.GetByteCount(entries).ShouldBeInRange(800, ListedJob.MessageBytes);
        entries.Split("Case ID").Length.ShouldBe(1 + 5);
        lines.ShouldEndWith($"\n25 more records were not effected; the full list is at {Url(job)}/records");
        whole.Length.ShouldBe(30 * (entries.Length / 5));
        foreach (var member in job.MemberNames().Except(["message"]))
            listed.GetProperty(member).GetRawText().ShouldBe(job.GetProperty(member).GetRawText());
    }

    [Fact]
    public async Task Another_companys_jobs_are_never_listed()
    {
        var mine = Id(await RunAsync("[{}]"));
        var stranger = server.ClientOf(ApiServer.NewCompany());
        (await (await stranger.SendAsync(HttpMethod.Get, "api-jobs")).TextAsync()).ShouldBe("""{"data":[]}""");
        (await (await stranger.SendAsync(HttpMethod.Get, $"api-jobs?parent_id={mine}")).TextAsync()).ShouldBe("""{"data":[]}""");
        await RunAsync("[{}]");

        // Not with the other's cursor either: a cursor is a place, and says nothing of whose.
        var next = (await Client.SendAsync(HttpMethod.Get, "api-jobs?limit=1")).NextLink()!;
        (await (await stranger.SendAsync(HttpMethod.Get, next)).TextAsync()).ShouldBe("""{"data":[]}""");
    }

    [Fact]
    public async Task HEAD_gives_the_headers_of_GET_without_a_body()
    {
        await RunAsync("[{}]");
        await RunAsync("[{}]");
        foreach (var path in new[] { "api-jobs?limit=1", "api-jobs" })
        {
            var (get, head) = (await Client.SendAsync(HttpMethod.Get, path), await Client.SendAsync(HttpMethod.Head, path));
            head.NextLink().ShouldBe(get.NextLink());
            head.Content.Headers.ContentLength.ShouldBe(get.Content.Headers.ContentLength);
            (await head.TextAsync()).ShouldBeEmpty();
        }
    }

    [Fact]
    public async Task A_store_that_is_away_is_said_so()
    {
        using (server.Store.TakeAway())
        {
            await (await Client.SendAsync(HttpMethod.Get, "api-jobs")).ShouldBeProblemAsync(503, "unavailable");
            await (await Client.SendAsync(HttpMethod.Get, $"api-jobs/{Guid.CreateVersion7()}/log")).ShouldBeProblemAsync(503, "unavailable");
        }
    }

    [Fact]
    public async Task Everything_that_a_job_can_be_expanded_by_comes_in_one_order_in_lists_and_alone()
    {
        const string all = "expand=progress,origin,failure,links,counts";
        var job = await RunAsync("[{}]");

        var alone = await (await Client.SendAsync(HttpMethod.Get, $"{Url(job)}?{all}")).JsonAsync();
        alone.MemberNames()[11..].ShouldBe(["counts", "links", "failure", "origin", "progress"]);
        var listed = (await DataAsync(await Client.SendAsync(HttpMethod.Get, $"api-jobs?{all}"))).ShouldHaveSingleItem();
        listed.GetRawText().ShouldBe(alone.GetRawText());
        listed.GetProperty("progress").GetRawText().ShouldBe("""{"records_per_second":null,"estimated_end_time":null,"position":null}""");
        (await Client.SendAsync(HttpMethod.Get, listed.GetProperty("links").Text("log")!)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Waiting_jobs_say_how_many_come_first()
    {
        Uri last;
        using (server.Store.HoldWork())
        {
            for (var count = 0; count < 2; count++)
                await Client.SendJsonAsync(HttpMethod.Post, "cases/bulk", "[{}]");
            last = (await Client.SendJsonAsync(HttpMethod.Post, "cases/bulk", "[{}]")).Headers.Location!;

            var listed = await DataAsync(await Client.SendAsync(HttpMethod.Get, "api-jobs?expand=progress&status=pending"));
            listed.Select(job => job.GetProperty("progress").GetProperty("position").GetInt64()).ShouldBe([2, 1, 0]);
            listed[0].GetProperty("progress").GetProperty("estimated_end_time").ValueKind.ShouldBe(JsonValueKind.Null);
            listed[2].GetProperty("progress").Text("estimated_end_time")!.ShouldMatch(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$");
            (await (await Client.SendAsync(HttpMethod.Get, $"{last}?expand=progress")).JsonAsync())
                .GetProperty("progress").GetProperty("position").GetInt64().ShouldBe(2);
        }

        await server.EndOfAsync(Client, last);
    }

    [Fact]
    public async Task A_log_tells_what_happened_oldest_first()
    {
        var job = await RunAsync($"[{NotThere},{NotThere}]", HttpMethod.Patch);

        var lines = await DataAsync(await Client.SendAsync(HttpMethod.Get, $"{Url(job)}/log"));

        lines.ShouldAllBe(line => line.MemberNames().SequenceEqual(new[] { "time", "event", "detail" }));
        lines.Select(line => (line.Text("event"), line.Text("detail"))).ShouldBe([
            ("accepted", "2 records accepted."), ("begun", "Work on the job began."), ("ended", "completed: 0 of 2 records effected.")]);
        lines[0].Text("time").ShouldBe(job.Text("created_at"));
        var head = await Client.SendAsync(HttpMethod.Head, $"{Url(job)}/log");
        (head.StatusCode, await head.TextAsync()).ShouldBe((HttpStatusCode.OK, ""));
    }

    [Fact]
    public async Task A_log_takes_no_parameters_and_needs_a_job_of_the_company()
    {
        var job = await RunAsync("[{}]");
        await (await Client.SendAsync(HttpMethod.Get, $"{Url(job)}/log?limit=1")).ShouldBeProblemAsync(400, "invalid_parameter");
        await (await Client.SendAsync(HttpMethod.Get, "api-jobs/not-an-id/log")).ShouldBeProblemAsync(400, "invalid_parameter");
        await (await Client.SendAsync(HttpMethod.Get, $"api-jobs/{Guid.CreateVersion7()}/log")).ShouldBeProblemAsync(404, "not_found");
        await (await server.ClientOf(ApiServer.NewCompany()).SendAsync(HttpMethod.Get, $"{Url(job)}/log")).ShouldBeProblemAsync(404, "not_found");
    }

    private Task<JsonElement> RunAsync(string json, HttpMethod? method = null, string path = "cases/bulk") =>
        server.RunAsync(Client, method ?? HttpMethod.Post, path, json);

    private async Task<IReadOnlyList<string>> IdsAsync(string query) =>
        [.. (await DataAsync(await Client.SendAsync(HttpMethod.Get, $"api-jobs?{query}"))).Select(Id)];

    private static async Task<JsonElement[]> DataAsync(HttpResponseMessage answer)
    {
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, await answer.TextAsync());
        var json = await answer.JsonAsync();
        json.MemberNames().ShouldBe(["data"]);
        return [.. json.GetProperty("data").EnumerateArray()];
    }

    private static string Id(JsonElement job) => job.Text("id")!;

    private static string Url(JsonElement job) => $"{ApiServer.Prefix}/api-jobs/{Id(job)}";
}
