using System.Net;
using System.Text;
using System.Text.Json;

namespace ApiJobs.Server.Tests.Contract;

/// <summary>What happened to each record, in every format it can be asked for, and back again.</summary>
public abstract class ResultsContract(ApiServer server)
{
    private const string Table =
        "\uFEFFref,notes,meta.colour\r\nA-1,\"two\nlines\",red\r\nA-2,,\r\n\r\nA-3,=1+1,\\N\r\n";

    private readonly Guid _company = ApiServer.NewCompany();

    private HttpClient Client => field ??= server.ClientOf(_company);

    [Fact]
    public async Task The_lines_of_a_table_and_of_lines_are_told_and_JSON_has_none()
    {
        var table = await SendAsync(HttpMethod.Post, "cases/bulk", Table, "text/csv");
        (await RecordsAsync(table)).ConvertAll(record => record.GetProperty("line").GetInt64()).ShouldBe([2, 4, 6]);
        var lines = await SendAsync(HttpMethod.Post, "cases/bulk", "\n{}\n\n\n" + string.Concat(Enumerable.Repeat("{}\r\n", 25)), "application/x-ndjson");
        (await RecordsAsync(lines)).ConvertAll(record => record.GetProperty("line").GetInt64()).ShouldBe([2, .. Enumerable.Range(5, 25)]);
        var json = await SendAsync(HttpMethod.Post, "cases/bulk", "[\n{}]", "application/json");
        (await RecordsAsync(json)).Single().TryGetProperty("line", out _).ShouldBeFalse();
    }

    [Fact]
    public async Task Records_are_shown_as_they_were_sent_if_asked_for()
    {
        const string Sent = "{ \"ref\" : \"A\",\n \"notes\":\"\\u0041 \\n\", \"unknown\": [1,{}] }";
        var job = await SendAsync(HttpMethod.Post, "cases/bulk", $"[{Sent}]", "application/json");
        (await (await GetAsync(job, "include=record")).TextAsync()).ShouldContain($"\"record\":{Sent}}}");
        var line = await (await GetAsync(job, "include=record", "application/x-ndjson")).TextAsync();
        line.ShouldEndWith($"\"record\":{Sent.Replace('\n', ' ')}}}\n");
        line.Count(character => character == '\n').ShouldBe(1);
        (await (await GetAsync(job, "")).TextAsync()).ShouldNotContain("\"record\"");
    }

    [Theory]
    [InlineData(null, "application/json")]
    [InlineData("", "application/json")]
    [InlineData("*/*", "application/json")]
    [InlineData("application/*", "application/json")]
    [InlineData("text/*", "text/csv")]
    [InlineData("text/csv", "text/csv")]
    [InlineData("TEXT/CSV", "text/csv")]
    [InlineData("text/csv, */*", "text/csv")]
    [InlineData("*/*, application/x-ndjson;q=0.9", "application/json")]
    [InlineData("application/json;q=0.1, application/x-ndjson;q=0.2", "application/x-ndjson")]
    [InlineData("application/x-ndjson, application/json", "application/x-ndjson")]
    [InlineData("text/html,application/xhtml+xml,*/*;q=0.8", "application/json")]
    [InlineData("application/json;q=0, */*", "application/x-ndjson")]
    public async Task The_format_is_the_one_liked_best(string? accept, string expected)
    {
        var job = await SendAsync(HttpMethod.Post, "cases/bulk", "[{}]", "application/json");
        var answer = await GetAsync(job, "", accept);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        answer.Content.Headers.ContentType!.MediaType.ShouldBe(expected);
        answer.Headers.Vary.ShouldBe(["Accept"]);
    }

    [Theory]
    [InlineData("text/html")]
    [InlineData("application/xml, image/*")]
    [InlineData("text/csv;q=0")]
    [InlineData("nonsense")]
    public async Task A_format_that_cannot_be_had_is_refused_with_those_that_can(string accept)
    {
        var job = await SendAsync(HttpMethod.Post, "cases/bulk", "[{}]", "application/json");
        var problem = await (await GetAsync(job, "", accept)).ShouldBeProblemAsync(406, "not_acceptable");
        foreach (var type in new[] { "application/json", "application/x-ndjson", "text/csv" })
            problem.Text("detail")!.ShouldContain(type);
    }

    [Fact]
    public async Task The_whole_list_is_streamed_as_an_attachment_and_from_a_cursor()
    {
        var records = string.Join(',', Enumerable.Range(0, 2_500).Select(index => index % 7 == 0 ? """{"id":"bad"}""" : "{}"));
        var job = await SendAsync(HttpMethod.Post, "cases/bulk", $"[{records}]", "application/json");

        var answer = await GetAsync(job, "", "application/x-ndjson");
        answer.Content.Headers.ContentDisposition!.ToString().ShouldBe($"attachment; filename=\"api-job-{IdOf(job)}-records.ndjson\"");
        answer.NextLink().ShouldBeNull();
        var lines = (await answer.TextAsync()).TrimEnd('\n').Split('\n');
        lines.Select(line => Parse(line).GetProperty("index").GetInt32()).ShouldBe(Enumerable.Range(0, 2_500));

        var page = await GetAsync(job, "outcome=failed&limit=10", "application/x-ndjson");
        page.Content.Headers.ContentDisposition.ShouldBeNull();
        var next = page.NextLink()!;
        next.ShouldContain("outcome=failed");
        next.ShouldContain("limit=10");
        (await page.TextAsync()).TrimEnd('\n').Split('\n').Length.ShouldBe(10);
        var rest = next.Replace("limit=10&", "", StringComparison.Ordinal);
        var tail = (await (await AskAsync(rest, "application/x-ndjson")).TextAsync()).TrimEnd('\n').Split('\n');
        tail.Select(line => Parse(line).GetProperty("index").GetInt32()).ShouldBe(Enumerable.Range(10, (2_500 / 7) + 1 - 10).Select(nth => nth * 7));
    }

    [Fact]
    public async Task Following_the_links_of_a_table_gives_every_record_once()
    {
        var job = await SendAsync(HttpMethod.Post, "cases/bulk", Table + string.Concat(Enumerable.Range(10, 30).Select(nth => $"A-{nth},,\n")), "text/csv");
        var rows = new List<string>();
        for (var next = $"{job.AbsolutePath}/records?include=record&raw=true&code=none,not_found&outcome=created,failed&limit=7"; next is not null;)
        {
            var page = await AskAsync(next.Replace("code=none,not_found&", "", StringComparison.Ordinal), "text/csv");
            var lines = (await page.TextAsync()).TrimEnd().Split("\r\n");
            lines[0].ShouldBe("ref,notes,meta.colour,_index,_outcome,_code,_field,_message");
            rows.AddRange(lines.Skip(1));
            next = page.NextLink();
        }

        rows.Count.ShouldBe(33);
        rows.Distinct().Count().ShouldBe(33);
    }

    [Fact]
    public async Task A_code_chooses_records_and_one_that_nobody_has_chooses_none()
    {
        var job = await SendAsync(HttpMethod.Post, "cases/bulk", """[{"id":"bad","colour":1},{"colour":2},{}]""", "application/json");
        (await RecordsAsync(job, "code=invalid_format")).ConvertAll(Index).ShouldBe([0]);
        (await RecordsAsync(job, "code=unknown_field,invalid_format")).ConvertAll(Index).ShouldBe([0, 1]);
        (await RecordsAsync(job, "code=no_such_code_1")).ShouldBeEmpty();
        static int Index(JsonElement record) => record.GetProperty("index").GetInt32();
    }

    [Theory]
    [InlineData("code=")]
    [InlineData("code=Not_found")]
    [InlineData("code=not_found,")]
    [InlineData("code=a b")]
    [InlineData("code=%00")]
    [InlineData("code=a&code=b")]
    [InlineData("code=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    [InlineData("include=")]
    [InlineData("include=records")]
    [InlineData("raw=")]
    [InlineData("raw=1")]
    [InlineData("raw=TRUE")]
    [InlineData("limit=")]
    public async Task A_parameter_that_cannot_be_meant_is_refused_in_every_format(string query)
    {
        var job = await SendAsync(HttpMethod.Post, "cases/bulk", "[{}]", "application/json");
        foreach (var accept in new[] { "application/json", "application/x-ndjson", "text/csv" })
            await (await GetAsync(job, query, accept)).ShouldBeProblemAsync(400, "invalid_parameter");
    }

    [Fact]
    public async Task A_table_tells_what_happened_with_columns_of_its_own()
    {
        var job = await SendAsync(HttpMethod.Post, "cases/bulk", "id,notes,meta.colour\nx,\"1, 2\",123456789012345678901\n", "text/csv");
        var answer = await GetAsync(job, "", "text/csv");
        answer.Content.Headers.ContentType!.ToString().ShouldBe("text/csv; charset=utf-8");
        answer.Content.Headers.ContentDisposition!.FileName.ShouldBe($"api-job-{IdOf(job)}-records.csv");
        (await answer.TextAsync()).ShouldBe(
            "_index,_line,_key,_outcome,_code,_field,_message\r\n"
            + "0,2,x,failed,invalid_format,id,'x' is not a UUID like 4528a261-917d-4cbc-939e-7ea48cffca69.; "
            + (await RecordsAsync(job)).Single().GetProperty("errors")[1].Text("message") + "\r\n");
    }

    [Fact]
    public async Task A_table_has_the_requests_own_columns_and_no_cell_that_a_spreadsheet_runs()
    {
        var job = await SendAsync(HttpMethod.Post, "cases/bulk", Table, "text/csv");
        (await (await GetAsync(job, "include=record", "text/csv")).TextAsync()).ShouldBe(
            "ref,notes,meta.colour,_index,_outcome,_code,_field,_message\r\n"
            + "A-1,\"two\nlines\",red,0,created,,,\r\nA-2,,,1,created,,,\r\nA-3,'=1+1,\\N,2,created,,,\r\n");
        (await (await GetAsync(job, "include=record&raw=true", "text/csv")).TextAsync()).ShouldContain("A-3,=1+1,\\N,2");
    }

    [Fact]
    public async Task A_table_of_JSON_records_has_the_members_that_they_really_have()
    {
        var job = await SendAsync(HttpMethod.Post, "cases/bulk",
            """[{"ref":"A","meta":{"b":"1"}},{"meta":{"a":null,"b":"2"},"notes":null},{"list":[1, 2],"number":-1.5,"on":true,"mixed":{"a":"x"}},{"mixed":null,"notes":""}]""", "application/json");
        (await (await GetAsync(job, "include=record&outcome=created", "text/csv")).TextAsync()).ShouldBe(
            "ref,meta.b,meta.a,notes,_index,_outcome,_code,_field,_message\r\nA,1,,,0,created,,,\r\n,2,\\N,\\N,1,created,,,\r\n");
        (await (await GetAsync(job, "include=record&outcome=failed", "text/csv")).TextAsync()).ShouldStartWith(
            "list,number,on,mixed,notes,_index,_outcome,_code,_field,_message\r\n\"[1, 2]\",'-1.5,true,\"{\"\"a\"\":\"\"x\"\"}\",,2,failed,unknown_field,list,");
    }

    [Fact]
    public async Task A_table_of_too_many_columns_is_refused_and_lines_are_offered()
    {
        var members = string.Join(',', Enumerable.Range(0, 1_001).Select(nth => $"\"m{nth}\":1"));
        var job = await SendAsync(HttpMethod.Post, "cases/bulk", $"[{{{members}}}]", "application/json");
        var problem = await (await GetAsync(job, "include=record", "text/csv")).ShouldBeProblemAsync(400, "too_many_columns");
        problem.Text("detail")!.ShouldContain("application/x-ndjson");
        var entries = string.Join(',', Enumerable.Range(0, 1_001).Select(nth => $"\"m{nth}\":\"1\""));
        job = await SendAsync(HttpMethod.Post, "cases/bulk", $$$"""[{"meta":{{{{entries}}}}}]""", "application/json");
        await (await GetAsync(job, "include=record&limit=1", "text/csv")).ShouldBeProblemAsync(400, "too_many_columns");
    }

    [Fact]
    public async Task A_page_of_a_table_with_many_columns_and_few_cells_is_sent_in_pieces()
    {
        var columns = string.Join(',', Enumerable.Range(0, 10_000).Select(nth => $"meta.m{nth}"));
        var job = await SendAsync(HttpMethod.Post, "cases/bulk", $"{columns}\n{string.Concat(Enumerable.Repeat("x\n", 600))}", "text/csv");

        var page = await GetAsync(job, "include=record&limit=600", "text/csv");

        // A length in front would mean that all of it was held first.
        page.Headers.TransferEncodingChunked.ShouldBe(true);
        var rows = (await page.TextAsync()).TrimEnd().Split("\r\n");
        rows.Length.ShouldBe(601);
        rows.Skip(1).ShouldAllBe(row => row.StartsWith("x,,", StringComparison.Ordinal) && row.Count(character => character == ',') == 10_004);
        (await GetAsync(job, "include=record&limit=1", "text/csv")).Headers.TransferEncodingChunked.ShouldNotBe(true);
    }

    [Fact]
    public async Task Failures_come_as_a_table_are_corrected_and_go_back_as_they_are()
    {
        var sent = await SendAsync(HttpMethod.Post, "customers/bulk",
            "last_name,date_of_birth\n-Łęcki,1980-02-30\nB,1981-01-01\n'=C,31/12/1990\n", "text/csv");
        var failed = await (await GetAsync(sent, "outcome=failed&include=record", "text/csv")).TextAsync();
        failed.ShouldContain("'-Łęcki,1980-02-30,0,failed,invalid_format,date_of_birth,");
        failed.ShouldContain("''=C,31/12/1990,2,failed,");
        var corrected = failed.Replace("1980-02-30", "1980-02-28", StringComparison.Ordinal).Replace("31/12/1990", "1990-12-31", StringComparison.Ordinal);

        var job = await SendAsync(HttpMethod.Post, $"customers/bulk?retry_of={IdOf(sent)}", corrected, "text/csv");
        var done = await (await Client.SendAsync(HttpMethod.Get, $"{job.AbsolutePath}?expand=counts")).JsonAsync();
        done.GetProperty("effected_records").GetInt64().ShouldBe(2, done.Text("message"));
        (await (await Client.SendAsync(HttpMethod.Get, "customers")).JsonAsync()).GetProperty("data").EnumerateArray()
            .Select(row => $"{row.Text("last_name")} {row.Text("date_of_birth")}").Order(StringComparer.Ordinal)
            .ShouldBe(["'=C 1990-12-31", "-Łęcki 1980-02-28", "B 1981-01-01"]);
        // A corrected list of a corrected list has the columns of the first.
        (await (await GetAsync(job, "include=record", "text/csv")).TextAsync()).ShouldStartWith("last_name,date_of_birth,_index,");
        // Without retry_of nothing is taken away, and the columns are no fields.
        (await (await Client.SendAsync(HttpMethod.Post, "customers/bulk", Encoding.UTF8.GetBytes(corrected), "text/csv")).ShouldBeProblemAsync(400, "wrong_shape"))
            .Text("detail")!.ShouldContain("_index");
    }

    [Fact]
    public async Task Only_an_ended_job_of_the_company_can_be_corrected()
    {
        var other = server.ClientOf(ApiServer.NewCompany());
        var theirs = (await server.RunAsync(other, HttpMethod.Post, "cases/bulk", "[{}]")).Text("id");
        var unknown = Guid.CreateVersion7();
        foreach (var id in new[] { theirs, unknown.ToString() })
        {
            var problem = await (await RetryAsync(id!)).ShouldBeProblemAsync(404, "not_found");
            problem.Text("detail").ShouldBe($"There is no API job {id}.");
        }

        await (await RetryAsync("last-one")).ShouldBeProblemAsync(400, "invalid_parameter");
        await (await RetryAsync("")).ShouldBeProblemAsync(400, "invalid_parameter");
        await (await RetryAsync($"{unknown}&retry_of={unknown}")).ShouldBeProblemAsync(400, "invalid_parameter");
        (await server.CountStoredRowsAsync(_company)).ShouldBe(0);
        using var held = server.Store.HoldWork();
        var pending = await Client.SendJsonAsync(HttpMethod.Post, "cases/bulk", "[{}]");
        await (await RetryAsync((await pending.JsonAsync()).Text("id")!)).ShouldBeProblemAsync(409, "not_ended");

        Task<HttpResponseMessage> RetryAsync(string id) => Client.SendJsonAsync(HttpMethod.Post, $"cases/bulk?retry_of={id}", "[{}]");
    }

    [Fact]
    public async Task What_a_running_job_has_not_processed_is_told_so_in_every_format()
    {
        using var held = server.Store.HoldWork();
        var accepted = await Client.SendAsync(HttpMethod.Post, "cases/bulk", Encoding.UTF8.GetBytes("id,notes\nbad,x\n,y\n"), "text/csv");
        var job = new Uri(server.Address, accepted.Headers.Location!);
        (await (await GetAsync(job, "include=record", "text/csv")).TextAsync()).ShouldBe(
            "id,notes,_index,_outcome,_code,_field,_message\r\nbad,x,0,unprocessed,,,\r\n,y,1,unprocessed,,,\r\n");
        (await (await GetAsync(job, "outcome=unprocessed", "application/x-ndjson")).TextAsync()).Count(character => character == '\n').ShouldBe(2);
    }

    [Theory]
    [InlineData("application/x-ndjson")]
    [InlineData("text/csv")]
    public async Task An_answer_that_breaks_off_never_looks_complete(string accept)
    {
        var notes = new string('x', 9_000);
        var job = await SendAsync(HttpMethod.Post, "cases/bulk",
            $"[{string.Join(',', Enumerable.Range(0, 200).Select(nth => $$"""{"ref":"{{nth}}","notes":"{{notes}}"}"""))}]", "application/json");
        // Five readings of four chunks each; for a table of JSON records there is one for the header, and five to find the columns.
        var read = server.Store.FailReadingAfter(accept == "text/csv" ? 9 : 3);
        var broken = await Should.ThrowAsync<HttpRequestException>(async () =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"{job.AbsolutePath}/records?include=record");
            request.Headers.Add("Accept", accept);
            using var answer = await Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
            answer.StatusCode.ShouldBe(HttpStatusCode.OK);
            await answer.Content.CopyToAsync(Stream.Null, TestContext.Current.CancellationToken);
        });
        read.Dispose();
        broken.InnerException.ShouldBeAssignableTo<IOException>();
        // What fails before the first byte is a problem as ever.
        using (server.Store.TakeAway())
            await (await GetAsync(job, "", accept)).ShouldBeProblemAsync(503, "unavailable");
    }

    [Fact]
    public async Task Records_that_are_no_longer_kept_are_gone_in_every_format()
    {
        var job = await SendAsync(HttpMethod.Post, "cases/bulk", "[{}]", "application/json");
        while (await server.Store.RemoveEndedAsync(_company, TimeSpan.Zero, Storage.EndedPart.Records, TestContext.Current.CancellationToken)) { }
        foreach (var accept in new[] { "application/json", "application/x-ndjson", "text/csv" })
        {
            var answer = await GetAsync(job, "include=record", accept);
            await answer.ShouldBeProblemAsync(410, "records_removed");
            answer.Content.Headers.ContentDisposition.ShouldBeNull();
        }
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("application/x-ndjson")]
    [InlineData("text/csv")]
    public async Task HEAD_has_the_headers_and_no_body(string accept)
    {
        var job = await SendAsync(HttpMethod.Post, "cases/bulk", Table, "text/csv");
        var answer = await Client.SendAsync(HttpMethod.Head, $"{job.AbsolutePath}/records", headers: headers => headers.Add("Accept", accept));
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        answer.Content.Headers.ContentType!.MediaType.ShouldBe(accept);
        (answer.Content.Headers.ContentDisposition is null).ShouldBe(accept == "application/json");
        (await answer.TextAsync()).ShouldBe("");
    }

    private async Task<Uri> SendAsync(HttpMethod method, string path, string body, string mediaType)
    {
        var accepted = await Client.SendAsync(method, path, Encoding.UTF8.GetBytes(body), mediaType);
        accepted.StatusCode.ShouldBe(HttpStatusCode.Accepted, await accepted.TextAsync());
        await server.EndOfAsync(Client, accepted.Headers.Location!);
        return new Uri(server.Address, accepted.Headers.Location!);
    }

    private Task<HttpResponseMessage> GetAsync(Uri job, string query, string? accept = null) =>
        AskAsync($"{job.AbsolutePath}/records{(query.Length > 0 ? $"?{query}" : "")}", accept);

    private Task<HttpResponseMessage> AskAsync(string path, string? accept) => Client.SendAsync(HttpMethod.Get, path, headers: headers =>
    {
        if (accept is not null)
            headers.TryAddWithoutValidation("Accept", accept);
    });

    private async Task<List<JsonElement>> RecordsAsync(Uri job, string query = "limit=1000")
    {
        var answer = await GetAsync(job, query);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        return [.. (await answer.JsonAsync()).GetProperty("data").EnumerateArray()];
    }

    private static string IdOf(Uri job) => job.Segments[^1];

    private static JsonElement Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }
}

public sealed class ResultsOnSqlite(SqliteApiServer server) : ResultsContract(server), IClassFixture<SqliteApiServer>;

public sealed class ResultsOnPostgreSql(PostgreSqlApiServer server) : ResultsContract(server), IClassFixture<PostgreSqlApiServer>;
