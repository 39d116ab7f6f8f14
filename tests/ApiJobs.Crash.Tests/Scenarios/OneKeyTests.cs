using System.Net;
using System.Text;
using System.Text.Json;
using ApiJobs.Crash.Tests.Load;
using ApiJobs.Crash.Tests.Nodes;
using ApiJobs.Crash.Tests.Rounds;
using ApiJobs.Crash.Tests.Sites;

namespace ApiJobs.Crash.Tests.Scenarios;

/// <summary>One request that a thousand clients send at once under one key, to nodes of which one dies.</summary>
public sealed class OneKeyTests(PostgreSqlRun postgreSql)
{
    private const int Posts = 1_000, Records = 60;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(100)]
    public async Task A_thousand_posts_at_once_with_one_key_make_one_job_while_a_node_is_killed(int answersBeforeItsKill)
    {
        var options = new RoundOptions
        {
            Seed = 0,
            Shape = new(Companies: 1),
            Nodes = [new("a"), new("b")],
            StartsLoad = false,
        };
        await using var site = await PostgreSqlSite.CreateAsync(await postgreSql.Server);
        await using var round = await Round.StartAsync(site, options, Cancel);
        using var http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = Posts / 2 }) { Timeout = Patience };
        var (killed, other) = (round.Cluster["a"], round.Cluster["b"]);
        var (answered, enough) = (0, new TaskCompletionSource());

        var sending = Enumerable.Range(0, Posts).Select(number => Task.Run(() => PostAsync(number % 2 == 0 ? killed : other), Cancel)).ToList();
        await enough.Task.WaitAsync(Patience, Cancel);
        await killed.KillAsync();
        var heard = (await Task.WhenAll(sending)).OfType<Guid>().ToList();
        // Those who heard nothing send the request again, as they may.
        var again = await Task.WhenAll(Enumerable.Range(0, Posts - heard.Count).Select(_ => PostAsync(other)));

        var job = heard.Concat(again.Select(id => id.ShouldNotBeNull("a node that is up does not answer"))).Distinct().ShouldHaveSingleItem();
        Console.WriteLine($"Killed after {answersBeforeItsKill} answers of its own: {heard.Count} were answered, {again.Length} sent again.");
        (await round.WaitForEndAsync(Patience, Cancel)).ShouldBeTrue("the job did not end");
        await NothingElseIsLeftAsync(site, job);

        async Task<Guid?> PostAsync(Node node)
        {
            var id = await TryPostAsync(http, node.Url ?? new("http://127.0.0.1:1"));
            if (id is not null && node == killed && Interlocked.Increment(ref answered) >= answersBeforeItsKill)
                enough.TrySetResult();
            return id;
        }
    }

    private static async Task NothingElseIsLeftAsync(PostgreSqlSite site, Guid job)
    {
        (await site.QueryAsync<Guid>("SELECT id FROM jobs", Cancel)).ShouldBe(job);
        (await site.QueryAsync<long>("SELECT count(*) FROM jobs", Cancel)).ShouldBe(1);
        (await site.QueryAsync<long>("SELECT created_count + updated_count + unchanged_count + failed_count FROM jobs", Cancel)).ShouldBe(Records);
        (await site.QueryAsync<long>("SELECT count(*) FROM applied_log", Cancel)).ShouldBe(Records, "what was done more than once");
        (await site.QueryAsync<Guid>("SELECT job_id FROM idempotency_keys", Cancel)).ShouldBe(job);
        // What the killed node was receiving is an upload that nobody finished: it is swept, and no job has its chunks.
        (await site.QueryAsync<long>(
            "SELECT count(*) FROM chunks WHERE job_id NOT IN (SELECT id FROM jobs UNION ALL SELECT job_id FROM uploads)", Cancel)).ShouldBe(0);
        (await site.QueryAsync<long>("SELECT (SELECT sum(sealed_records) FROM lane_tails)::bigint - (SELECT sum(ended_records) FROM lanes)::bigint", Cancel))
            .ShouldBe(0, "nothing waits any longer");
    }

    private static async Task<Guid?> TryPostAsync(HttpClient http, Uri node)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(node, $"/engine/api/{ClientAccess.OfNodes.BulkPath}"))
        {
            Content = new ByteArrayContent(Body) { Headers = { ContentType = new("application/json") } },
        };
        request.Headers.Authorization = ClientAccess.OfNodes.AuthorizationOf(0);
        request.Headers.Add("Idempotency-Key", "\"the only one\"");
        // A client that sent a request again by itself on a broken connection would hide what the node does.
        request.Headers.ConnectionClose = true;
        try
        {
            using var answer = await http.SendAsync(request, Cancel);
            answer.StatusCode.ShouldBe(HttpStatusCode.Accepted, await answer.Content.ReadAsStringAsync(Cancel));
            return JsonSerializer.Deserialize<JsonElement>(await answer.Content.ReadAsStringAsync(Cancel)).GetProperty("id").GetGuid();
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            return null;
        }
    }

    // Several chunks: so each request appends before it is sealed, and learns only then that it comes too late.
    private static readonly byte[] Body = Encoding.UTF8.GetBytes(
        $"[{string.Join(',', Enumerable.Range(0, Records).Select(index => $$"""{"id":"0199a1b2-0000-7000-8000-{{index:D12}}","notes":"{{index}}"}"""))}]");
}
