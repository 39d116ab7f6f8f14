using System.Net;
using ApiJobs.Stores.Tests.PostgreSql;
using ApiJobs.Waiting;
using Microsoft.Extensions.DependencyInjection;

namespace ApiJobs.Server.Tests.Contract;

/// <summary>Waiting over the ends of nodes: one that stops keeps nobody, and what another does is told.</summary>
public sealed class StoppingNodeTests(PostgreSqlDatabases databases)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_node_that_stops_keeps_none_of_two_hundred_waiting()
    {
        await using var server = new SqliteApiServer();
        await server.InitializeAsync();
        var client = server.ClientOf(ApiServer.NewCompany());
        using var held = server.Store.HoldWork();
        var url = await PendingJobAsync(client);
        var streams = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => EventReader.OpenAsync(client, $"{url}/events")));
        var polls = Enumerable.Range(0, 100).Select(_ => client.SendAsync(HttpMethod.Get, url, headers: headers => headers.Add("Prefer", "wait=60"))).ToList();
        await WaitersAsync(server, 200);
        var began = TimeProvider.System.GetTimestamp();

        await server.StopAsync();

        TimeProvider.System.GetElapsedTime(began).ShouldBeLessThan(TimeSpan.FromSeconds(15));
        foreach (var stream in streams)
            (await stream.ReadToEndAsync()).ShouldHaveSingleItem().Name.ShouldBe("api_job.progress");
        foreach (var answer in await Task.WhenAll(polls))
        {
            answer.StatusCode.ShouldBe(HttpStatusCode.OK);
            answer.Headers.Contains("Preference-Applied").ShouldBeFalse();
            (await answer.JsonAsync()).Text("status").ShouldBe("pending");
        }
    }

    [Fact]
    public async Task What_another_node_did_is_told_within_a_second_and_a_stream_goes_on_there()
    {
        await using var one = new PostgreSqlApiServer(databases);
        await one.InitializeAsync();
        await using var other = one.AnotherNode();
        await other.InitializeAsync();
        var company = ApiServer.NewCompany();
        // The first node never works.
        using var idle = one.Store.HoldWork();
        using var held = other.Store.HoldWork();
        var client = one.ClientOf(company);
        var url = await PendingJobAsync(client);
        using var stream = await EventReader.OpenAsync(client, $"{url}/events");
        var seen = (await stream.ReadAsync()).ShouldNotBeNull();
        using var again = await EventReader.OpenAsync(other.ClientOf(company), $"{url}/events", seen.Id);
        var poll = client.SendAsync(HttpMethod.Get, url, headers: headers => headers.Add("Prefer", "wait=60"));
        await WaitersAsync(one, 2);
        await WaitersAsync(other, 1);
        var applied = other.Store.Applied.Next;

        held.Dispose();
        await applied;
        var endedAt = TimeProvider.System.GetTimestamp();
        var end = (await stream.ReadAsync()).ShouldNotBeNull();
        var answer = await poll;
        TimeProvider.System.GetElapsedTime(endedAt).ShouldBeLessThan(TimeSpan.FromSeconds(1));

        end.Name.ShouldBe("api_job.completed");
        (await answer.JsonAsync()).Text("status").ShouldBe("completed");
        (await again.ReadToEndAsync()).ShouldHaveSingleItem().Name.ShouldBe("api_job.completed");
    }

    private static async Task<string> PendingJobAsync(HttpClient client)
    {
        var accepted = await client.SendJsonAsync(HttpMethod.Post, "cases/bulk", "[{}]");
        accepted.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        return accepted.Headers.Location!.ToString();
    }

    private static async Task WaitersAsync(ApiServer server, int count)
    {
        var watch = server.Services.GetRequiredService<JobWatch>();
        while (watch.WaiterCount != count)
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, Cancel);
    }
}
