using System.Net;
using ApiJobs.Waiting;
using Microsoft.Extensions.DependencyInjection;

namespace ApiJobs.Server.Tests.Contract;

/// <summary><c>Prefer: wait</c> (RFC 7240) on asking for a job and on bulk requests.</summary>
public abstract class WaitContract(ApiServer server)
{
    private readonly Guid _company = ApiServer.NewCompany();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Who_prefers_to_wait_is_answered_with_the_end_within_a_second_of_it()
    {
        var client = server.ClientOf(_company);
        using var held = server.Store.HoldWork();
        var url = await PendingJobAsync(client);
        var waiting = WaitAsync(client, url, "wait=30");
        await WaitersAsync(1);
        waiting.IsCompleted.ShouldBeFalse();
        var ended = server.Store.Applied.Next;

        held.Dispose();
        await ended;
        var endedAt = TimeProvider.System.GetTimestamp();
        var answer = await waiting;

        TimeProvider.System.GetElapsedTime(endedAt).ShouldBeLessThan(TimeSpan.FromSeconds(1));
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        answer.Headers.GetValues("Preference-Applied").ShouldBe(["wait=30"]);
        answer.Headers.Vary.ShouldBe(["Prefer"]);
        answer.Headers.NonValidated.Contains("Retry-After").ShouldBeFalse();
        (await answer.JsonAsync()).Text("status").ShouldBe("completed");
        await WaitersAsync(0);
    }

    [Fact]
    public async Task When_the_time_is_over_the_answer_is_the_job_as_it_is()
    {
        var client = server.ClientOf(_company);
        using var held = server.Store.HoldWork();
        var url = await PendingJobAsync(client);

        foreach (var seconds in new[] { 0, 1 })
        {
            var began = TimeProvider.System.GetTimestamp();
            var answer = await WaitAsync(client, url, $"wait={seconds}");
            TimeProvider.System.GetElapsedTime(began).ShouldBeGreaterThan(TimeSpan.FromSeconds(0.99 * seconds));
            answer.StatusCode.ShouldBe(HttpStatusCode.OK);
            answer.Headers.GetValues("Preference-Applied").ShouldBe([$"wait={seconds}"]);
            answer.Headers.RetryAfter.ShouldNotBeNull();
            (await answer.JsonAsync()).Text("status").ShouldBe("pending");
        }
    }

    [Fact]
    public async Task More_than_a_minute_is_taken_as_a_minute_and_an_ended_job_is_answered_at_once()
    {
        var client = server.ClientOf(_company);
        var url = await EndedJobAsync(client);

        var answer = await WaitAsync(client, url, "wait=86400");

        answer.Headers.GetValues("Preference-Applied").ShouldBe(["wait=60"]);
        (await answer.JsonAsync()).Text("status").ShouldBe("completed");
    }

    [Theory]
    [InlineData("wait=ten")]
    [InlineData("wait=-1")]
    [InlineData("respond-async, handling=lenient")]
    public async Task Preferences_that_are_not_understood_change_nothing(string prefer)
    {
        var client = server.ClientOf(_company);
        using var held = server.Store.HoldWork();
        var url = await PendingJobAsync(client, prefer);

        var answer = await WaitAsync(client, url, prefer);

        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        answer.Headers.Contains("Preference-Applied").ShouldBeFalse();
        answer.Headers.Vary.ShouldBe(["Prefer"]);
        (await answer.JsonAsync()).Text("status").ShouldBe("pending");
    }

    [Fact]
    public async Task A_bulk_request_that_prefers_to_wait_is_answered_with_the_ended_job()
    {
        var client = server.ClientOf(_company);

        var answer = await BulkAsync(client, "wait=30", """[{"ref":"A"},{"unknown":1}]""");

        answer.StatusCode.ShouldBe(HttpStatusCode.OK, await answer.TextAsync());
        answer.Headers.GetValues("Preference-Applied").ShouldBe(["wait=30"]);
        answer.Headers.NonValidated.Contains("Retry-After").ShouldBeFalse();
        var job = await answer.JsonAsync();
        job.Text("status").ShouldBe("completed");
        job.Text("message")!.ShouldContain("unknown");
        var read = await client.GetAsync(answer.Headers.Location, Cancel);
        (await read.TextAsync()).ShouldBe(await answer.TextAsync());
        read.Headers.ETag.ShouldNotBeNull().ShouldBe(answer.Headers.ETag);
    }

    [Fact]
    public async Task A_bulk_request_is_accepted_also_if_the_store_goes_away_while_it_waits()
    {
        var client = server.ClientOf(_company);
        using var held = server.Store.HoldWork();
        HttpResponseMessage answer;

        // Whoever is told that the store is away sends the request again, and has two jobs.
        using (server.Store.TakeAwayOnceSealed())
            answer = await BulkAsync(client, "wait=1", """[{"ref":"A"}]""");

        answer.StatusCode.ShouldBe(HttpStatusCode.Accepted, await answer.TextAsync());
        answer.Headers.Contains("Preference-Applied").ShouldBeFalse();
        var read = await client.GetAsync(answer.Headers.Location, Cancel);
        (await read.TextAsync()).ShouldBe(await answer.TextAsync());
    }

    [Fact]
    public async Task A_bulk_request_whose_job_takes_longer_is_accepted_as_without()
    {
        var client = server.ClientOf(_company);
        using var held = server.Store.HoldWork();

        var answer = await BulkAsync(client, "wait=1", """[{"ref":"A"}]""");

        answer.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        answer.Headers.GetValues("Preference-Applied").ShouldBe(["wait=1"]);
        answer.Headers.RetryAfter.ShouldNotBeNull();
        answer.Headers.Location.ShouldNotBeNull();
        (await answer.JsonAsync()).Text("status").ShouldBe("pending");
    }

    [Fact]
    public async Task With_a_known_tag_nothing_is_sent_only_if_nothing_has_changed_by_then()
    {
        var client = server.ClientOf(_company);
        using var held = server.Store.HoldWork();
        var url = await PendingJobAsync(client);
        var tag = (await client.GetAsync(url, Cancel)).Headers.ETag!;

        var unchanged = await WaitAsync(client, url, "wait=1", $"{tag}");
        unchanged.StatusCode.ShouldBe(HttpStatusCode.NotModified);
        unchanged.Headers.GetValues("Preference-Applied").ShouldBe(["wait=1"]);

        var waiting = WaitAsync(client, url, "wait=30", $"{tag}");
        await WaitersAsync(1);
        held.Dispose();
        var changed = await waiting;
        changed.StatusCode.ShouldBe(HttpStatusCode.OK);
        changed.Headers.ETag.ShouldNotBe(tag);
        (await WaitAsync(client, url, "wait=30", $"{changed.Headers.ETag}")).StatusCode.ShouldBe(HttpStatusCode.NotModified);
    }

    [Fact]
    public async Task An_unknown_job_and_another_companys_are_not_waited_for()
    {
        using var held = server.Store.HoldWork();
        var url = await PendingJobAsync(server.ClientOf(_company));

        await (await WaitAsync(server.ClientOf(ApiServer.NewCompany()), url, "wait=30")).ShouldBeProblemAsync(404, "not_found");
        await (await WaitAsync(server.ClientOf(_company), $"{ApiServer.Prefix}/api-jobs/{Guid.CreateVersion7()}", "wait=30")).ShouldBeProblemAsync(404, "not_found");
    }

    [Fact]
    public async Task Who_waits_beyond_what_a_company_may_is_answered_at_once()
    {
        var client = server.ClientOf(_company);
        using var held = server.Store.HoldWork();
        var url = await PendingJobAsync(client);
        var engine = server.Services.GetRequiredService<ApiJobEngine>();
        var others = Enumerable.Range(0, ApiServer.MaxWaitersPerCompany).Select(_ => engine.Watch(_company, Guid.CreateVersion7()).ShouldNotBeNull()).ToList();

        var answer = await WaitAsync(client, url, "wait=30");

        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        answer.Headers.Contains("Preference-Applied").ShouldBeFalse();
        (await answer.JsonAsync()).Text("status").ShouldBe("pending");
        others.ForEach(waiter => waiter.Dispose());
    }

    [Fact]
    public async Task Who_hangs_up_waits_no_longer_and_nobody_is_warned()
    {
        var client = server.ClientOf(_company);
        using var held = server.Store.HoldWork();
        var url = await PendingJobAsync(client);
        using var hangUp = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var request = new HttpRequestMessage(HttpMethod.Get, url) { Headers = { { "Prefer", "wait=60" } } };
        var waiting = client.SendAsync(request, hangUp.Token);
        await WaitersAsync(1);
        // What the tests before had the store do is not this one's.
        server.Warnings.Clear();

        await hangUp.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(waiting);
        await WaitersAsync(0);
        server.Warnings.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_store_that_is_away_when_waiting_begins_is_answered_as_always()
    {
        var client = server.ClientOf(_company);
        using var held = server.Store.HoldWork();
        var url = await PendingJobAsync(client);
        using (server.Store.TakeAway())
            await (await WaitAsync(client, url, "wait=30")).ShouldBeProblemAsync(503, "unavailable");

        (await WaitAsync(client, url, "wait=0")).StatusCode.ShouldBe(HttpStatusCode.OK);
        server.Warnings.Clear();
    }

    private static Task<HttpResponseMessage> WaitAsync(HttpClient client, string url, string prefer, string? knownTag = null) =>
        client.SendAsync(HttpMethod.Get, url, headers: headers =>
        {
            headers.TryAddWithoutValidation("Prefer", prefer);
            if (knownTag is not null)
                headers.TryAddWithoutValidation("If-None-Match", knownTag);
        });

    private static Task<HttpResponseMessage> BulkAsync(HttpClient client, string prefer, string json) => client.SendAsync(
        HttpMethod.Post, "cases/bulk", System.Text.Encoding.UTF8.GetBytes(json), "application/json",
        headers => headers.TryAddWithoutValidation("Prefer", prefer));

    private static async Task<string> PendingJobAsync(HttpClient client, string prefer = "")
    {
        var accepted = await BulkAsync(client, prefer, """[{"ref":"A"}]""");
        accepted.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        return accepted.Headers.Location!.ToString();
    }

    private async Task<string> EndedJobAsync(HttpClient client)
    {
        var url = await PendingJobAsync(client);
        await server.EndOfAsync(client, new(url, UriKind.Relative));
        return url;
    }

    private async Task WaitersAsync(int count)
    {
        var watch = server.Services.GetRequiredService<JobWatch>();
        while (watch.WaiterCount != count)
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, Cancel);
    }
}
