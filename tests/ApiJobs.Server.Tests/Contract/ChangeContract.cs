using System.Net;
using System.Text;
using System.Text.Json;
using ApiJobs.Intake;
using ApiJobs.Jobs;
using ApiJobs.Operations;
using ApiJobs.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace ApiJobs.Server.Tests.Contract;

/// <summary>What can be done with a job after it was sent: <c>cancel</c>, <c>retry</c>, <c>promote</c>; and <c>max_failed</c>.</summary>
public abstract class ChangeContract(ApiServer server)
{
    private readonly Guid _company = ApiServer.NewCompany();

    private HttpClient Client => server.ClientOf(_company);

    [Fact]
    public async Task A_cancelled_job_has_failed_and_says_so()
    {
        using var held = server.Store.HoldWork();
        var job = await SendAsync("cases/bulk", Records(25));

        var answer = await PostAsync(job, "cancel");

        answer.StatusCode.ShouldBe(HttpStatusCode.OK, await answer.TextAsync());
        answer.Headers.NonValidated.Contains("Retry-After").ShouldBeFalse();
        var cancelled = await answer.JsonAsync();
        (cancelled.Text("id"), cancelled.Text("status")).ShouldBe((job, "failed"));
        cancelled.Text("end_time").ShouldNotBeNull();
        cancelled.Text("message").ShouldBe("The job was cancelled. 25 records were not processed.");
        var asked = await Client.SendAsync(HttpMethod.Get, $"api-jobs/{job}");
        (await asked.TextAsync()).ShouldBe(await answer.TextAsync());
        asked.Headers.ETag.ShouldBe(answer.Headers.ETag);
        var counts = (await (await Client.SendAsync(HttpMethod.Get, $"api-jobs/{job}?expand=counts")).JsonAsync()).GetProperty("counts");
        counts.GetProperty("unprocessed").GetInt64().ShouldBe(25);
    }

    [Fact]
    public async Task Only_the_request_that_cancelled_may_come_again()
    {
        string job, other;
        using (server.Store.HoldWork())
        {
            (job, other) = (await SendAsync("cases/bulk", Records(1)), await SendAsync("cases/bulk", Records(1)));
            var first = await PostAsync(job, "cancel", "key");
            var again = await PostAsync(job, "cancel", "\"key\"");
            again.StatusCode.ShouldBe(HttpStatusCode.OK);
            (await again.TextAsync()).ShouldBe(await first.TextAsync());
            // The key stands for this very request.
            await (await PostAsync(other, "cancel", "key")).ShouldBeProblemAsync(422, "idempotency_key_reused");
            await (await PostAsync(job, "retry", "key")).ShouldBeProblemAsync(422, "idempotency_key_reused");
        }

        foreach (var key in new[] { null, "another" })
            (await (await PostAsync(job, "cancel", key)).ShouldBeProblemAsync(409, "already_ended")).Text("detail")!.ShouldContain(job);
        (await EndOfAsync(other)).Text("status").ShouldBe("completed");
    }

    [Fact]
    public async Task A_retry_makes_a_job_of_what_failed_and_only_one()
    {
        var job = await SendAsync("cases/bulk", $$"""[{"ref":"A"},{"ref":"{{new string('x', 101)}}"},{"ref":"B"},{"unknown":1}]""");
        (await EndOfAsync(job)).Text("status").ShouldBe("completed");

        var answer = await PostAsync(job, "retry", "key");

        answer.StatusCode.ShouldBe(HttpStatusCode.Accepted, await answer.TextAsync());
        var retry = await answer.JsonAsync();
        answer.Headers.Location!.ToString().ShouldBe($"{ApiServer.Prefix}/api-jobs/{retry.Text("id")}");
        (retry.Text("type"), retry.GetProperty("total_records").GetInt64()).ShouldBe(("customer_case_bulk_create", 2L));
        (await IdOfAsync(await PostAsync(job, "retry", "key"))).ShouldBe(retry.Text("id"));
        foreach (var key in new[] { null, "another" })
            await ExpectChildAsync(await PostAsync(job, "retry", key), "already_retried", retry.Text("id")!);

        var ended = await EndOfAsync(retry.Text("id")!);
        (ended.Text("status"), ended.GetProperty("effected_records").GetInt64()).ShouldBe(("completed", 0L));
        (await PostAsync(retry.Text("id")!, "retry")).StatusCode.ShouldBe(HttpStatusCode.Accepted);
    }

    [Fact]
    public async Task Of_many_retries_at_once_one_is_made()
    {
        string job;
        using (server.Store.HoldWork())
        {
            job = await SendAsync("cases/bulk", Records(45));
            await PostAsync(job, "cancel");
        }

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => PostAsync(job, "retry")));

        var made = await IdOfAsync(answers.Where(answer => answer.StatusCode == HttpStatusCode.Accepted).ShouldHaveSingleItem());
        foreach (var refused in answers.Where(answer => answer.StatusCode != HttpStatusCode.Accepted))
            await ExpectChildAsync(refused, "already_retried", made);
        (await EndOfAsync(made)).GetProperty("effected_records").GetInt64().ShouldBe(45);
        // Two jobs of five chunks.
        (await server.CountStoredRowsAsync(_company)).ShouldBe(2 * (1 + 5));
    }

    [Fact]
    public async Task Jobs_whose_state_does_not_allow_it_are_refused_by_name_and_nothing_is_made()
    {
        var done = await SendAsync("cases/bulk", Records(1));
        await EndOfAsync(done);
        using var held = server.Store.HoldWork();
        var pending = await SendAsync("cases/bulk", Records(1));
        var before = await server.CountStoredRowsAsync(_company);

        await (await PostAsync(pending, "retry", "key")).ShouldBeProblemAsync(409, "not_ended");
        await (await PostAsync(pending, "promote", "key")).ShouldBeProblemAsync(409, "not_a_rehearsal");
        await (await PostAsync(done, "retry", "key")).ShouldBeProblemAsync(409, "nothing_to_retry");
        await (await PostAsync(done, "promote", "key")).ShouldBeProblemAsync(409, "not_a_rehearsal");
        await (await PostAsync(done, "cancel", "key")).ShouldBeProblemAsync(409, "already_ended");

        (await server.CountStoredRowsAsync(_company)).ShouldBe(before);
        // Nor was the key used up by any of them.
        (await PostAsync(pending, "cancel", "key")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_rehearsal_that_has_ended_is_promoted_once()
    {
        string rehearsal;
        using (server.Store.HoldWork())
        {
            rehearsal = await RehearseAsync(Records(15));
            await (await PostAsync(rehearsal, "promote")).ShouldBeProblemAsync(409, "not_ended");
            await PostAsync(rehearsal, "cancel");
        }

        var real = await IdOfAsync(await PostAsync(rehearsal, "promote", "key"));

        (await IdOfAsync(await PostAsync(rehearsal, "promote", "key"))).ShouldBe(real);
        await ExpectChildAsync(await PostAsync(rehearsal, "promote"), "already_promoted", real);
        (await EndOfAsync(real)).GetProperty("effected_records").GetInt64().ShouldBe(15);
    }

    [Fact]
    public async Task Records_that_are_gone_cannot_be_retried()
    {
        string job;
        using (server.Store.HoldWork())
        {
            job = await SendAsync("cases/bulk", Records(1));
            await PostAsync(job, "cancel");
        }

        while (await server.Store.RemoveEndedAsync(_company, TimeSpan.Zero, EndedPart.Records, TestContext.Current.CancellationToken)) { }

        (await (await PostAsync(job, "retry")).ShouldBeProblemAsync(410, "records_removed")).Text("detail")!.ShouldContain(job);
    }

    [Theory]
    [InlineData("cancel")]
    [InlineData("retry")]
    [InlineData("promote")]
    public async Task Bad_requests_are_refused_as_everywhere(string change)
    {
        var job = await SendAsync("cases/bulk", Records(1));
        await EndOfAsync(job);
        await (await PostAsync("nonsense", change)).ShouldBeProblemAsync(400, "invalid_parameter");
        await (await PostAsync($"{Guid.CreateVersion7()}", change)).ShouldBeProblemAsync(404, "not_found");
        await (await PostAsync(job, $"{change}?force=true")).ShouldBeProblemAsync(400, "invalid_parameter");
        await (await PostAsync(job, change, "\"open")).ShouldBeProblemAsync(400, "invalid_idempotency_key");
        (await PostAsync(job, $"{change}/")).StatusCode.ShouldBe(HttpStatusCode.Conflict);
        var large = await Client.SendAsync(
            HttpMethod.Post, $"api-jobs/{job}/{change}", new byte[2_000], "application/json", headers => headers.Add("Idempotency-Key", "key"));
        await large.ShouldBeProblemAsync(413, "body_too_large");
        await (await Client.SendAsync(HttpMethod.Get, $"api-jobs/{job}/{change}")).ShouldBeProblemAsync(405, "method_not_allowed");
    }

    [Fact]
    public async Task A_job_that_fails_too_often_is_given_up()
    {
        var records = JsonSerializer.Serialize(Enumerable.Range(0, 50).Select(index => new { @ref = index % 2 == 0 ? $"R{index}" : new string('x', 101) }));
        var job = await EndOfAsync(await SendAsync("cases/bulk?max_failed=20%", records));

        // Ten may fail; five do in each chunk of ten.
        job.Text("status").ShouldBe("failed");
        job.Text("message")!.ShouldEndWith("\n15 records failed, of which max_failed allows 10; the job was given up. 20 records were not processed.");
        (await EndOfAsync(await SendAsync("cases/bulk?max_failed=25", records.Replace("\"R", "\"S", StringComparison.Ordinal)))).Text("status").ShouldBe("completed");
        var retry = await (await PostAsync(job.Text("id")!, "retry")).JsonAsync();
        // What failed, and what was left; without the bound.
        retry.GetProperty("total_records").GetInt64().ShouldBe(15 + 20);
        (await EndOfAsync(retry.Text("id")!)).Text("status").ShouldBe("completed");
    }

    [Theory]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("0%")]
    [InlineData("101%")]
    [InlineData("1.5")]
    [InlineData("many")]
    [InlineData("")]
    [InlineData("1&max_failed=2")]
    public async Task A_bound_that_is_none_is_refused(string maxFailed)
    {
        var answer = await Client.SendJsonAsync(HttpMethod.Post, $"cases/bulk?max_failed={maxFailed}", Records(1));
        (await answer.ShouldBeProblemAsync(400, "invalid_parameter")).Text("detail")!.ShouldContain("max_failed");
        (await server.CountStoredRowsAsync(_company)).ShouldBe(0);
    }

    private static async Task ExpectChildAsync(HttpResponseMessage answer, string code, string child)
    {
        var problem = await answer.ShouldBeProblemAsync(409, code);
        problem.Text("child").ShouldBe(child);
        problem.Text("detail")!.ShouldContain(child);
        answer.Headers.GetValues("Link").ShouldBe([$"<{ApiServer.Prefix}/api-jobs/{child}>; rel=\"child\""]);
    }

    private static string Records(int count) => JsonSerializer.Serialize(Enumerable.Range(0, count).Select(_ => new { notes = "n" }));

    private async Task<string> SendAsync(string path, string json) => await IdOfAsync(await Client.SendJsonAsync(HttpMethod.Post, path, json));

    private async Task<string> RehearseAsync(string json)
    {
        var operation = server.Services.GetRequiredService<OperationCatalog>().Find("customer_case_bulk_create")!;
        using var body = new MemoryStream(Encoding.UTF8.GetBytes(json));
        await using var records = RecordFormats.Open("application/json", body, new IntakeOptions())!;
        var job = await server.Services.GetRequiredService<ApiJobEngine>().AcceptAsync(
            new(_company, operation, new JobOptions { DryRun = true }), records, TestContext.Current.CancellationToken);
        return job.Id.ToString();
    }

    private Task<HttpResponseMessage> PostAsync(string job, string change, string? key = null) => Client.SendAsync(
        HttpMethod.Post, $"api-jobs/{job}/{change}", headers: headers =>
        {
            if (key is not null)
                headers.TryAddWithoutValidation("Idempotency-Key", key);
        });

    private Task<JsonElement> EndOfAsync(string job) => server.EndOfAsync(Client, new($"{ApiServer.Prefix}/api-jobs/{job}", UriKind.Relative));

    private static async Task<string> IdOfAsync(HttpResponseMessage answer)
    {
        answer.StatusCode.ShouldBe(HttpStatusCode.Accepted, await answer.TextAsync());
        return (await answer.JsonAsync()).Text("id")!;
    }
}
