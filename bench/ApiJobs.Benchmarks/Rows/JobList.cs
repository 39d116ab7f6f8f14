using System.Diagnostics;
using ApiJobs.Benchmarks.Data;
using ApiJobs.Benchmarks.Databases;
using ApiJobs.Benchmarks.Engine;
using ApiJobs.Benchmarks.Measuring;

namespace ApiJobs.Benchmarks.Rows;

/// <summary>A page of a company's jobs on a store with ten million ended jobs, and on one with a thousand.</summary>
internal static class JobList
{
    private const int ManyCompanies = 10, FewJobs = 1_000, PageJobs = 25;

    // What is asked for, how, and how many jobs the page has.
    private static readonly (string Name, string Query, int Jobs)[] Pages =
    [
        ("newest", $"limit={PageJobs}", PageJobs),
        ("by type and status", $"limit={PageJobs}&type=customer_case_bulk_create&status=completed", PageJobs),
        ("failed", "status=failed", 0),
        ("unfinished", "status=pending", 0),
    ];

    public static async Task<RowResult> RunAsync(Bench bench, Store store)
    {
        var jobs = bench.Scale(full: 10_000_000, quick: 50_000);
        var requests = bench.Scale(full: 500, quick: 50);
        var many = await bench.NewDatabaseAsync(store);
        var (companyId, model) = await AddModelAsync(bench, many);
        var few = bench.Keep(await many.CopyAsync(bench.Stopping));
        bench.Log($"copying {jobs:N0} and {FewJobs:N0} ended jobs");
        await new ClonedJobs(many, companyId, model).AddEndedAsync(jobs, ManyCompanies, bench.Stopping);
        await new ClonedJobs(few, companyId, model).AddEndedAsync(FewJobs, 1, bench.Stopping);
        await many.SettleAsync(bench.Stopping);
        await few.SettleAsync(bench.Stopping);

        await using var onMany = await EngineServer.StartAsync(bench, many);
        await using var onFew = await EngineServer.StartAsync(bench, few);
        var rounds = bench.NewRounds();
        await rounds.RunAsync(_ => MeasureAsync(onMany, isFull: true), _ => MeasureAsync(onFew, isFull: false));

        return new(
            new Dictionary<string, string>
            {
                ["store"] = await many.DescribeAsync(bench.Stopping),
                ["many"] = $"{jobs:N0} ended jobs, a tenth of them the asking company's",
                ["few"] = $"{FewJobs:N0} ended jobs, all the asking company's",
                ["requests of each kind in a round"] = $"{requests:N0}, one after another",
            },
            [.. rounds.All],
            [.. Pages.Select(page => rounds.Ratio($"{page.Name}, many ÷ few", Figure(page.Name, isFull: true), Figure(page.Name, isFull: false), Goal.AtMost(1.5)))],
            []);

        async Task MeasureAsync(EngineServer server, bool isFull)
        {
            foreach (var (name, query, expected) in Pages)
            {
                var microseconds = new List<double>(requests);
                for (var request = 0; request < requests; request++)
                {
                    var began = Stopwatch.GetTimestamp();
                    var count = await server.Companies[0].CountListedAsync(query, bench.Stopping);
                    microseconds.Add(Stopwatch.GetElapsedTime(began).TotalMicroseconds);
                    if (count != expected)
                        throw new InvalidOperationException($"The page '{name}' has {count} jobs, not {expected}.");
                }

                rounds.Add(Figure(name, isFull), "µs", Statistics.Median(microseconds));
            }
        }
    }

    private static string Figure(string name, bool isFull) => $"{name}, {(isFull ? "many" : "few")} ended jobs";

    // An ended job of one record to copy.
    private static async Task<(Guid CompanyId, Guid JobId)> AddModelAsync(Bench bench, Database database)
    {
        await using var server = await EngineServer.StartAsync(bench, database);
        var company = server.Companies[0];
        var body = BulkBody.Make(1, (writer, record) => new CaseGenerator(Bench.Seed).WriteCase(writer, record));
        var job = await company.AcceptAsync(HttpMethod.Post, Company.Json(body), bench.Stopping);
        await company.WaitUntilEffectedAsync(job, 1, bench.Stopping);
        await server.StopAsync();
        return (company.Id, job);
    }
}
