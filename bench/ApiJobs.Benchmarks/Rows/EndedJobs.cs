using System.Diagnostics;
using ApiJobs.Benchmarks.Data;
using ApiJobs.Benchmarks.Databases;
using ApiJobs.Benchmarks.Engine;
using ApiJobs.Benchmarks.Measuring;

namespace ApiJobs.Benchmarks.Rows;

/// <summary>The same work on a store that holds ten million ended jobs and on one that holds none.</summary>
internal static class EndedJobs
{
    private const int Companies = 8, FilledCompanies = 100;

    private const string FullBulk = "bulk update, store full of ended jobs", EmptyBulk = "bulk update, empty store",
        FullSmall = "one-record jobs, store full of ended jobs", EmptySmall = "one-record jobs, empty store";

    public static async Task<RowResult> RunAsync(Bench bench, Store store)
    {
        var ended = bench.Scale(full: 10_000_000, quick: 50_000);
        var records = bench.Scale(full: 100_000, quick: 10_000);
        var jobs = bench.Scale(full: 10_000, quick: 800);
        var generator = new CaseGenerator(Bench.Seed);
        var full = await bench.NewDatabaseAsync(store);
        var (companyId, model) = await SeedAsync(bench, full, records);
        var empty = bench.Keep(await full.CopyAsync(bench.Stopping));
        bench.Log($"copying {ended:N0} ended jobs");
        await new ClonedJobs(full, companyId, model).AddEndedAsync(ended, FilledCompanies, bench.Stopping);
        await full.SettleAsync(bench.Stopping);

        await using var onFull = await EngineServer.StartAsync(bench, full, Companies);
        await using var onEmpty = await EngineServer.StartAsync(bench, empty, Companies);
        var rounds = bench.NewRounds();
        await rounds.RunAsync(
            round => MeasureAsync(onFull, full, FullBulk, FullSmall, round),
            round => MeasureAsync(onEmpty, empty, EmptyBulk, EmptySmall, round));

        return new(
            new Dictionary<string, string>
            {
                ["store"] = await full.DescribeAsync(bench.Stopping),
                ["ended jobs"] = $"{ended:N0}, each with its chunk and its results, in {FilledCompanies} companies",
                ["records in the bulk request"] = $"{records:N0}",
                ["one-record jobs in a round"] = $"{jobs:N0}",
            },
            [.. rounds.All],
            [
                rounds.Ratio("bulk update, full ÷ empty", FullBulk, EmptyBulk, Goal.AtLeast(0.90)),
                rounds.Ratio("one-record jobs, full ÷ empty", FullSmall, EmptySmall, Goal.AtLeast(0.90)),
            ],
            []);

        async Task MeasureAsync(EngineServer server, Database database, string bulk, string small, int round)
        {
            await database.SettleAsync(bench.Stopping);
            var body = BulkBody.Make(records, (writer, record) => generator.WriteUpdate(writer, record, 2 + (round * 1_000)));
            var (_, acceptedAt, endedAt) = await BulkUpdate.RunJobAsync(server.Companies[0], body, records, bench.Stopping);
            rounds.Add(bulk, "records/s", records / Stopwatch.GetElapsedTime(acceptedAt, endedAt).TotalSeconds);
            rounds.Add(small, "jobs/s", await SmallJobs.MeasureAsync(bench, server, jobs, round + 1_000));
        }
    }

    // Cases for the bulk update and for the small jobs, and one ended job of one record to copy.
    private static async Task<(Guid CompanyId, Guid JobId)> SeedAsync(Bench bench, Database database, int records)
    {
        await using var server = await SmallJobs.StartAsync(bench, database);
        var company = server.Companies[0];
        await EngineServer.SeedAsync(company, records - SmallJobs.CasesPerCompany, bench.Stopping, firstRecord: SmallJobs.CasesPerCompany);
        var body = BulkBody.Make(1, (writer, record) => new CaseGenerator(Bench.Seed).WriteUpdate(writer, record, version: 1));
        var job = await company.AcceptAsync(HttpMethod.Patch, Company.Json(body), bench.Stopping);
        await company.WaitUntilEffectedAsync(job, 1, bench.Stopping);
        await server.StopAsync();
        return (company.Id, job);
    }
}
