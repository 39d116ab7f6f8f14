using System.Net;
using ApiJobs.Waiting;
using Microsoft.Extensions.DependencyInjection;

namespace ApiJobs.Server.Tests.Contract;

/// <summary><c>GET /api-jobs/{id}/events</c>.</summary>
public abstract class EventsContract(ApiServer server)
{
    private readonly Guid _company = ApiServer.NewCompany();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_stream_tells_where_the_job_is_and_its_end_and_then_it_ends()
    {
        var client = server.ClientOf(_company);
        using var held = server.Store.HoldWork();
        var url = await PendingJobAsync(client, 1);
        using var stream = await EventReader.OpenAsync(client, url);
        stream.Answer.Content.Headers.ContentType!.ToString().ShouldBe("text/event-stream");
        stream.Answer.Headers.CacheControl!.ToString().ShouldBe("no-store, no-cache");
        stream.Answer.Headers.GetValues("X-Accel-Buffering").ShouldBe(["no"]);

        var first = (await stream.ReadAsync()).ShouldNotBeNull();
        first.Name.ShouldBe("api_job.progress");
        first.Id.ShouldBe("0-0");
        stream.Retry.ShouldBe("2000");
        first.Job.Text("status").ShouldBe("pending");
        first.Job.GetProperty("counts").GetProperty("unprocessed").GetInt64().ShouldBe(1);

        var applied = server.Store.Applied.Next;
        held.Dispose();
        await applied;
        var endedAt = TimeProvider.System.GetTimestamp();
        var end = (await stream.ReadAsync()).ShouldNotBeNull();
        TimeProvider.System.GetElapsedTime(endedAt).ShouldBeLessThan(TimeSpan.FromSeconds(1));
        end.Name.ShouldBe("api_job.completed");
        end.Id.ShouldBe("1-1");
        var read = await (await client.GetAsync($"{url[..^"/events".Length]}?expand=counts,progress", Cancel)).JsonAsync();
        end.Job.GetRawText().ShouldBe(read.GetRawText());
        (await stream.ReadAsync()).ShouldBeNull();
    }

    [Fact]
    public async Task A_job_that_failed_ends_its_stream_with_that()
    {
        var client = server.ClientOf(_company);
        using var held = server.Store.HoldWork();
        var url = await PendingJobAsync(client, 1);
        using var stream = await EventReader.OpenAsync(client, url);
        (await stream.ReadAsync())!.Name.ShouldBe("api_job.progress");

        await server.Services.GetRequiredService<ApiJobEngine>().EndJobAsync(_company, IdIn(url), new("cancelled", "Cancelled by the test."), Cancel);

        var end = (await stream.ReadAsync()).ShouldNotBeNull();
        (end.Name, end.Job.Text("status")).ShouldBe(("api_job.failed", "failed"));
        (await stream.ReadAsync()).ShouldBeNull();
    }

    [Theory]
    [InlineData(null)]
    [InlineData("1-1")]
    [InlineData("0-0")]
    [InlineData("nonsense")]
    public async Task An_ended_job_gives_its_end_again_whatever_was_seen(string? lastEventId)
    {
        var client = server.ClientOf(_company);
        var url = await PendingJobAsync(client, 1);
        await server.EndOfAsync(client, new(url[..^"/events".Length], UriKind.Relative));

        using var stream = await EventReader.OpenAsync(client, url, lastEventId);

        (await stream.ReadToEndAsync()).ShouldHaveSingleItem().Name.ShouldBe("api_job.completed");
    }

    [Theory]
    [InlineData("0-0", false)]
    [InlineData("1-10", false)]
    [InlineData("", true)]
    [InlineData("0", true)]
    [InlineData("-1-0", true)]
    [InlineData("0-0-0", true)]
    [InlineData("3-0", true)]
    [InlineData("0-21", true)]
    [InlineData("99999999999999999999-0", true)]
    [InlineData("<script>", true)]
    public async Task What_was_seen_is_not_told_again_and_nonsense_counts_as_nothing_seen(string lastEventId, bool isTold)
    {
        var client = server.ClientOf(_company);
        using var held = server.Store.HoldWork();
        var url = await PendingJobAsync(client, 20);
        using var stream = await EventReader.OpenAsync(client, url, lastEventId);
        var next = stream.ReadAsync();
        await WaitersAsync(1);
        if (isTold)
            (await next).ShouldNotBeNull().Name.ShouldBe("api_job.progress");

        await server.Services.GetRequiredService<ApiJobEngine>().EndJobAsync(_company, IdIn(url), new("cancelled", "Cancelled by the test."), Cancel);

        (isTold ? await stream.ReadAsync() : await next).ShouldNotBeNull().Name.ShouldBe("api_job.failed");
    }

    [Fact]
    public async Task Progress_is_told_once_a_second_at_most_and_never_goes_back()
    {
        var client = server.ClientOf(_company);
        using var held = server.Store.HoldWork();
        var url = await PendingJobAsync(client, 3_000);
        using var stream = await EventReader.OpenAsync(client, url);
        var began = TimeProvider.System.GetTimestamp();
        held.Dispose();

        var events = await stream.ReadToEndAsync();

        events.Count.ShouldBeLessThanOrEqualTo(3 + (int)TimeProvider.System.GetElapsedTime(began).TotalSeconds);
        events.SkipLast(1).ShouldAllBe(told => told.Name == "api_job.progress");
        events[^1].Name.ShouldBe("api_job.completed");
        var effected = events.ConvertAll(told => told.Job.GetProperty("effected_records").GetInt64());
        effected.ShouldBe(effected.Order());
        effected[^1].ShouldBe(3_000);
        events.Select(told => told.Id).ShouldBeUnique();
    }

    [Fact]
    public async Task What_cannot_be_watched_is_refused_before_the_stream_begins()
    {
        var client = server.ClientOf(_company);
        await (await client.SendAsync(HttpMethod.Get, $"api-jobs/{Guid.CreateVersion7()}/events")).ShouldBeProblemAsync(404, "not_found");
        await (await client.SendAsync(HttpMethod.Get, "api-jobs/nonsense/events")).ShouldBeProblemAsync(400, "invalid_parameter");
        await (await client.SendAsync(HttpMethod.Get, $"api-jobs/{Guid.CreateVersion7()}/events?expand=counts")).ShouldBeProblemAsync(400, "invalid_parameter");
        (await client.SendAsync(HttpMethod.Head, $"api-jobs/{Guid.CreateVersion7()}/events")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        await WaitersAsync(0);
    }

    [Fact]
    public async Task A_question_for_the_headers_alone_is_answered_at_once()
    {
        var client = server.ClientOf(_company);
        using var held = server.Store.HoldWork();

        var answer = await client.SendAsync(HttpMethod.Head, await PendingJobAsync(client, 1));

        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        answer.Content.Headers.ContentType!.ToString().ShouldBe("text/event-stream");
        await WaitersAsync(0);
    }

    [Fact]
    public async Task More_streams_than_a_company_may_have_are_refused_and_told_when_to_come_again()
    {
        var client = server.ClientOf(_company);
        using var held = server.Store.HoldWork();
        var url = await PendingJobAsync(client, 1);
        var engine = server.Services.GetRequiredService<ApiJobEngine>();
        var others = Enumerable.Range(0, ApiServer.MaxWaitersPerCompany).Select(_ => engine.Watch(_company, Guid.CreateVersion7()).ShouldNotBeNull()).ToList();

        var answer = await client.SendAsync(HttpMethod.Get, url);
        await answer.ShouldBeProblemAsync(503, "too_many_waiters");
        answer.Headers.RetryAfter!.Delta.ShouldNotBeNull();

        others[0].Dispose();
        using (var stream = await EventReader.OpenAsync(client, url))
            (await stream.ReadAsync()).ShouldNotBeNull();
        others.ForEach(waiter => waiter.Dispose());
        await WaitersAsync(0);
        server.Warnings.ShouldBeEmpty();
    }

    [Fact]
    public async Task Five_hundred_who_wait_are_told_within_a_second_and_cost_the_store_what_one_costs()
    {
        var client = server.ClientOf(_company);
        using var held = server.Store.HoldWork();
        var url = await PendingJobAsync(client, 5);
        var streams = await Task.WhenAll(Enumerable.Range(0, 250).Select(_ => EventReader.OpenAsync(client, url)));
        foreach (var stream in streams)
            (await stream.ReadAsync()).ShouldNotBeNull().Name.ShouldBe("api_job.progress");
        var polls = Enumerable.Range(0, 250).Select(_ => client.SendAsync(
            HttpMethod.Get, url[..^"/events".Length], headers: headers => headers.Add("Prefer", "wait=60"))).ToList();
        await WaitersAsync(500);

        var applied = server.Store.Applied.Next;
        held.Dispose();
        await applied;
        var endedAt = TimeProvider.System.GetTimestamp();
        var ends = await Task.WhenAll(streams.Select(stream => stream.ReadToEndAsync()));
        var answers = await Task.WhenAll(polls);
        var told = TimeProvider.System.GetElapsedTime(endedAt);

        TestContext.Current.SendDiagnosticMessage("500 were told within {0:N0} ms.", told.TotalMilliseconds);
        told.ShouldBeLessThan(TimeSpan.FromSeconds(1));
        ends.ShouldAllBe(events => events.Last().Name == "api_job.completed");
        answers.ShouldAllBe(answer => answer.StatusCode == HttpStatusCode.OK && answer.Headers.Contains("Preference-Applied"));
        foreach (var stream in streams)
            stream.Dispose();
    }

    private static Guid IdIn(string url) => Guid.Parse(url.Split('/')[^2]);

    private static async Task<string> PendingJobAsync(HttpClient client, int records)
    {
        var accepted = await client.SendJsonAsync(HttpMethod.Post, "cases/bulk", $"[{string.Join(',', Enumerable.Repeat("{}", records))}]");
        accepted.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        return $"{accepted.Headers.Location}/events";
    }

    private async Task WaitersAsync(int count)
    {
        var watch = server.Services.GetRequiredService<JobWatch>();
        while (watch.WaiterCount != count)
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, Cancel);
    }
}
