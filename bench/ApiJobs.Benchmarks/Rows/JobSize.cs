using System.Diagnostics;
using ApiJobs.Benchmarks.Data;
using ApiJobs.Benchmarks.Databases;
using ApiJobs.Benchmarks.Engine;
using ApiJobs.Benchmarks.Measuring;

namespace ApiJobs.Benchmarks.Rows;

/// <summary>A million records in one job beside ten thousand: a large job must not slow down as it goes.</summary>
internal static class JobSize
{
    // Several small jobs are measured for each large one: a quarter of a second alone says little.
    private const int SmallJobsPerRound = 10;

    private const string Large = "large job, 202 → completed", Small = "small job, 202 → completed";

    public static async Task<RowResult> RunAsync(Bench bench, Store store)
    {
        var large = bench.Scale(full: 1_000_000, quick: 40_000);
        var small = bench.Scale(full: 10_000, quick: 2_000);
        var cases = large;
        var generator = new CaseGenerator(Bench.Seed);
        var (database, _) = await BulkUpdate.SeedTwiceAsync(bench, store, cases);
        await using var server = await EngineServer.StartAsync(bench, database);
        var company = server.Companies[0];
        var rounds = bench.NewRounds(atMost: 3);

        await rounds.RunAsync(
            async round => rounds.Add(Large, "records/s", await MeasureAsync(large, firstCase: 0, version: 1 + (round * 10))),
            async round =>
            {
                var speeds = new List<double>();
                for (var job = 0; job < SmallJobsPerRound; job++)
                    speeds.Add(await MeasureAsync(small, firstCase: job * small, version: 2 + (round * 10)));
                rounds.Add(Small, "records/s", Statistics.Median(speeds));
            });

        return new(
            new Dictionary<string, string>
            {
                ["store"] = await database.DescribeAsync(bench.Stopping),
                ["records in the large job"] = $"{large:N0}",
                ["records in a small job"] = $"{small:N0}, {SmallJobsPerRound} jobs a round",
                ["cases"] = $"{cases:N0}; the large job updates each of them, a small one the next {small:N0}",
            },
            [.. rounds.All],
            [rounds.Ratio("large ÷ small", Large, Small, Goal.AtLeast(0.90))],
            []);

        async Task<double> MeasureAsync(int records, int firstCase, int version)
        {
            await database.SettleAsync(bench.Stopping);
            using var body = new BulkBody(BodyFormat.Json, (count, _) => count >= records, (writer, record) =>
                generator.WriteUpdate(writer, firstCase + record, version));
            var job = await company.AcceptAsync(HttpMethod.Patch, body.WithContentType(), bench.Stopping);
            var acceptedAt = Stopwatch.GetTimestamp();
            await company.WaitUntilEffectedAsync(job, records, bench.Stopping, TimeSpan.FromMilliseconds(5));
            return records / Stopwatch.GetElapsedTime(acceptedAt).TotalSeconds;
        }
    }
}
