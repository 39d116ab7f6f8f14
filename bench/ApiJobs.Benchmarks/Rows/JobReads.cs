using ApiJobs.Benchmarks.Data;
using ApiJobs.Benchmarks.Databases;
using ApiJobs.Benchmarks.Engine;
using ApiJobs.Benchmarks.Measuring;
using ApiJobs.Benchmarks.Peers;

namespace ApiJobs.Benchmarks.Rows;

/// <summary>Reading an ended job, beside an endpoint that returns the same bytes and does nothing else.</summary>
internal static class JobReads
{
    private const int Connections = 32, RecordsInJob = 773;

    private const string Job = "GET api-jobs/{id}, ended job", Bare = "bare Kestrel endpoint, same bytes";

    public static async Task<RowResult> RunAsync(Bench bench, Store store, double goal)
    {
        var seconds = bench.Scale(full: 10, quick: 2);
        var load = await HttpLoad.FindAsync(Connections, seconds, bench);
        var database = await bench.NewDatabaseAsync(store);
        await using var server = await EngineServer.StartAsync(bench, database);
        var company = server.Companies[0];
        var body = BulkBody.Make(RecordsInJob, (writer, record) => new CaseGenerator(Bench.Seed).WriteCase(writer, record));
        var job = await company.AcceptAsync(HttpMethod.Post, Company.Json(body), bench.Stopping);
        await company.WaitUntilEffectedAsync(job, RecordsInJob, bench.Stopping);
        var answer = await company.GetBytesAsync(job, bench.Stopping);
        await using var bare = await BareEndpoint.StartAsync(answer, bench.Stopping);
        var rounds = bench.NewRounds();

        // The token is sent to both, so that both read the same request.
        await rounds.RunAsync(
            async _ => rounds.Add(Job, "requests/s", await load.RunAsync(new(server.Url, $"/engine/api/api-jobs/{job}"), company.Token)),
            async _ => rounds.Add(Bare, "requests/s", await load.RunAsync(new(bare.Url, "/bytes"), company.Token)));

        return new(
            new Dictionary<string, string>
            {
                ["store"] = await database.DescribeAsync(bench.Stopping),
                ["load"] = load.Description,
                ["bytes in the answer"] = $"{answer.Length:N0}",
            },
            [.. rounds.All],
            [rounds.Ratio("÷ bare endpoint", Job, Bare, Goal.AtLeast(goal))],
            []);
    }
}
