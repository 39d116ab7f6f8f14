using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using ApiJobs.Benchmarks.Data;
using ApiJobs.Benchmarks.Databases;
using ApiJobs.Benchmarks.Measuring;
using ApiJobs.Benchmarks.Peers;
using ApiJobs.Server.Tests;

namespace ApiJobs.Benchmarks.Rows;

/// <summary>Four nodes over one PostgreSQL beside one node, with an operation that waits 20 ms for every chunk, and many companies.</summary>
internal static class Nodes
{
    private const int NodeCount = 4, Slots = 2, Companies = 40;

    private const string Four = "four nodes", One = "one node";

    public static async Task<RowResult> RunAsync(Bench bench)
    {
        var chunksPerJob = bench.Scale(full: 50, quick: 10);
        var database = (PostgreSqlDatabase)await bench.NewDatabaseAsync(Store.PostgreSql);
        var rounds = bench.NewRounds();

        await rounds.RunAsync(
            async _ => rounds.Add(Four, "chunks/s", await MeasureAsync(bench, await database.NewBesideAsync(), NodeCount, chunksPerJob)),
            async _ => rounds.Add(One, "chunks/s", await MeasureAsync(bench, await database.NewBesideAsync(), 1, chunksPerJob)));

        var ideal = Slots / WaitingNode.WaitPerChunk.TotalSeconds;
        return new(
            new Dictionary<string, string>
            {
                ["store"] = await database.DescribeAsync(bench.Stopping),
                ["nodes"] = $"{NodeCount} and 1, each a process with {Slots} slots; at most {ideal:N0} chunks/s each",
                ["jobs"] = $"{Companies} companies, one job of {chunksPerJob} chunks each",
            },
            [.. rounds.All],
            [rounds.Ratio("four nodes ÷ one", Four, One, Goal.AtLeast(3.8))],
            []);
    }

    private static async Task<double> MeasureAsync(Bench bench, PostgreSqlDatabase database, int nodeCount, int chunksPerJob)
    {
        var connectionString = database.ServerSettings["Storage:ConnectionString"];
        var nodes = new List<ServerProcess>();
        try
        {
            // One first: it makes the schema.
            for (var node = 0; node < nodeCount; node++)
                nodes.Add(await WaitingNode.StartAsync(connectionString, Slots, bench.Stopping));
            // Every node has worked before the clock starts.
            await RunJobsAsync(nodes, chunks: 4, bench.Stopping);
            var began = Stopwatch.GetTimestamp();
            await RunJobsAsync(nodes, chunksPerJob, bench.Stopping);
            return Companies * chunksPerJob / Stopwatch.GetElapsedTime(began).TotalSeconds;
        }
        finally
        {
            foreach (var node in nodes)
                await node.DisposeAsync();
        }
    }

    private static async Task RunJobsAsync(List<ServerProcess> nodes, int chunks, CancellationToken cancellationToken)
    {
        var body = $"[{string.Join(',', Enumerable.Repeat("{}", chunks * WaitingNode.RecordsPerChunk))}]";
        await Task.WhenAll(Enumerable.Range(0, Companies).Select(async company =>
        {
            var http = nodes[company % nodes.Count].Http;
            var companyId = new CaseGenerator(Bench.Seed).CompanyId(company);
            var job = await SendAsync(http, companyId, HttpMethod.Post, WaitingNode.Path, new StringContent(body, new System.Net.Http.Headers.MediaTypeHeaderValue("application/json")), cancellationToken);
            var path = $"/api/api-jobs/{job.GetProperty("id").GetString()}";
            while (job.GetProperty("end_time").ValueKind == JsonValueKind.Null)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, cancellationToken);
                job = await SendAsync(http, companyId, HttpMethod.Get, path, content: null, cancellationToken);
            }

            if (job.GetProperty("effected_records").GetInt64() != chunks * WaitingNode.RecordsPerChunk)
                throw new InvalidOperationException($"A node's job went wrong: {job}");
        }));
    }

    private static async Task<JsonElement> SendAsync(
        HttpClient http, Guid companyId, HttpMethod method, string path, HttpContent? content, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content, Headers = { { WaitingNode.CompanyHeader, companyId.ToString() } } };
        using var answer = await http.SendAsync(request, cancellationToken);
        answer.EnsureSuccessStatusCode();
        return await answer.Content.ReadFromJsonAsync<JsonElement>(cancellationToken);
    }
}
