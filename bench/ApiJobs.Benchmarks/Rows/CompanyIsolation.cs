using System.Diagnostics;
using ApiJobs.Benchmarks.Data;
using ApiJobs.Benchmarks.Databases;
using ApiJobs.Benchmarks.Engine;
using ApiJobs.Benchmarks.Measuring;

namespace ApiJobs.Benchmarks.Rows;

/// <summary>What row-level security costs: the bulk update with the database keeping companies apart, and without.</summary>
internal static class CompanyIsolation
{
    private const string On = "with row-level security", Off = "without";

    public static async Task<RowResult> RunAsync(Bench bench)
    {
        var records = bench.Scale(full: 200_000, quick: 10_000);
        var generator = new CaseGenerator(Bench.Seed);
        var (database, copy) = await BulkUpdate.SeedTwiceAsync(bench, Store.PostgreSql, records);
        await using var confined = await EngineServer.StartAsync(bench, database);
        await using var open = await EngineServer.StartAsync(bench, copy, companies: 1, ("Storage:CompanyIsolation", "false"));
        var rounds = bench.NewRounds();

        await rounds.RunAsync(
            round => MeasureAsync(On, database, confined.Companies[0], round),
            round => MeasureAsync(Off, copy, open.Companies[0], round));

        return new(
            new Dictionary<string, string>
            {
                ["store"] = await copy.DescribeAsync(bench.Stopping),
                ["records in the request"] = $"{records:N0}",
            },
            [.. rounds.All],
            [rounds.Ratio("with row-level security ÷ without", On, Off, Goal.AtLeast(0.95))],
            []);

        async Task MeasureAsync(string side, Database on, Company company, int round)
        {
            await on.SettleAsync(bench.Stopping);
            var body = BulkBody.Make(records, (writer, record) => generator.WriteUpdate(writer, record, 1 + round));
            var (sentAt, _, endedAt) = await BulkUpdate.RunJobAsync(company, body, records, bench.Stopping);
            rounds.Add(side, "records/s", records / Stopwatch.GetElapsedTime(sentAt, endedAt).TotalSeconds);
        }
    }
}
