using System.Diagnostics;
using ApiJobs.Benchmarks.Data;
using ApiJobs.Benchmarks.Databases;
using ApiJobs.Benchmarks.Engine;
using ApiJobs.Benchmarks.Measuring;

namespace ApiJobs.Benchmarks.Rows;

/// <summary>The bulk update of 200,000 existing cases, rehearsed and done, in the order of their keys and in none.</summary>
internal static class Rehearsal
{
    private const string InOrder = "in the order of keys", InNone = "in random order";

    // A prime, so that its multiples visit every record once, each far from the one before.
    private const long Stride = 7_368_787;

    public static async Task<RowResult> RunAsync(Bench bench, Store store)
    {
        var records = bench.Scale(full: 200_000, quick: 10_000);
        var generator = new CaseGenerator(Bench.Seed);
        var database = await bench.NewDatabaseAsync(store);
        await using var server = await EngineServer.StartAsync(bench, database);
        var company = server.Companies[0];
        bench.Log($"creating {records:N0} cases");
        await EngineServer.SeedAsync(company, records, bench.Stopping);
        var rounds = bench.NewRounds();
        var version = 0;

        await rounds.RunAsync(
            _ => MeasureAsync(InOrder, record => record),
            _ => MeasureAsync(InNone, record => record * Stride % records));

        return new(
            new Dictionary<string, string>
            {
                ["store"] = await database.DescribeAsync(bench.Stopping),
                ["records in the request"] = $"{records:N0}",
            },
            [.. rounds.All],
            [
                rounds.Ratio($"rehearsed ÷ done, {InOrder}", $"rehearsed, {InOrder}", $"done, {InOrder}", Goal.AtLeast(0.80)),
                rounds.Ratio($"rehearsed ÷ done, {InNone}", $"rehearsed, {InNone}", $"done, {InNone}", Goal.AtLeast(0.80)),
            ],
            []);

        // The same body: every record of it changes its case, and the rehearsal leaves that to the update.
        async Task MeasureAsync(string order, Func<long, long> recordAt)
        {
            version++;
            var body = BulkBody.Make(records, (writer, number) => generator.WriteUpdate(writer, recordAt(number), version));
            await SendAsync($"rehearsed, {order}", body, "/engine/api/cases/bulk?dry_run=true");
            await SendAsync($"done, {order}", body, "/engine/api/cases/bulk");
        }

        async Task SendAsync(string side, byte[] body, string path)
        {
            await database.SettleAsync(bench.Stopping);
            var (sentAt, _, endedAt) = await BulkUpdate.RunJobAsync(company, body, records, bench.Stopping, path);
            rounds.Add(side, "records/s", records / Stopwatch.GetElapsedTime(sentAt, endedAt).TotalSeconds);
        }
    }
}
