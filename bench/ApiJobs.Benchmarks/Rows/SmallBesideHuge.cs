using System.Diagnostics;
using ApiJobs.Benchmarks.Data;
using ApiJobs.Benchmarks.Databases;
using ApiJobs.Benchmarks.Engine;
using ApiJobs.Benchmarks.Measuring;

namespace ApiJobs.Benchmarks.Rows;

/// <summary>How long a small import waits while another company's huge one keeps the only worker slot busy.</summary>
internal static class SmallBesideHuge
{
    private const int SmallRecords = 10, Cases = 50_000;

    // The worker's default.
    private static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(3);

    private const string Median = "ten-record job beside a huge one, p50", Worst = "ten-record job beside a huge one, p99",
        IdleMedian = "ten-record job, idle server, p50";

    public static async Task<RowResult> RunAsync(Bench bench, Store store)
    {
        var samples = bench.Scale(full: 50, quick: 20);
        var huge = bench.Scale(full: 1_000_000, quick: 50_000);
        var generator = new CaseGenerator(Bench.Seed);
        var database = await bench.NewDatabaseAsync(store);
        await using var server = await EngineServer.StartAsync(bench, database, companies: 2, ("Worker:Slots", "1"));
        var (loud, quiet) = (server.Companies[0], server.Companies[1]);
        await EngineServer.SeedAsync(loud, Cases, bench.Stopping);
        await EngineServer.SeedAsync(quiet, SmallRecords, bench.Stopping);
        var neighbour = new HugeJob(loud, Cases, huge, bench.Stopping);
        var version = 0;
        var rounds = bench.NewRounds(atMost: 3);

        await rounds.RunAsync(async _ =>
        {
            var idle = new List<double>();
            for (var sample = 0; sample < samples; sample++)
                idle.Add(await MeasureAsync());
            rounds.Add(IdleMedian, "ms", Statistics.Median(idle));

            var beside = new List<double>();
            while (beside.Count < samples)
            {
                await neighbour.EnsureRunningAsync();
                var milliseconds = await MeasureAsync();
                // A job that outlived the huge one had the server to itself for a while: that is not what is asked.
                if (await neighbour.IsRunningAsync())
                    beside.Add(milliseconds);
            }

            rounds.Add(Median, "ms", Statistics.Median(beside));
            rounds.Add(Worst, "ms", Statistics.Percentile(beside, 0.99));
            while (await neighbour.IsRunningAsync())
                await Task.Delay(PollInterval, TimeProvider.System, bench.Stopping);
        });

        return new(
            new Dictionary<string, string>
            {
                ["store"] = await database.DescribeAsync(bench.Stopping),
                ["worker slots"] = "1",
                ["records in the huge job"] = $"{huge:N0}",
                ["small jobs in a round"] = $"{samples}, one after another, each asked for every {PollInterval.TotalMilliseconds} ms",
            },
            [.. rounds.All],
            [
                new("p50 in slices of 100 ms", [.. rounds[Median].Rounds.Select(InSlices)], Goal: null),
                new("p99 in slices of 100 ms", [.. rounds[Worst].Rounds.Select(InSlices)], Goal.AtMost(3)),
            ],
            []);

        async Task<double> MeasureAsync()
        {
            version++;
            var body = BulkBody.Make(SmallRecords, (writer, record) => generator.WriteUpdate(writer, record, version));
            var began = Stopwatch.GetTimestamp();
            var job = await quiet.AcceptAsync(HttpMethod.Patch, Company.Json(body), bench.Stopping);
            await quiet.WaitUntilEffectedAsync(job, SmallRecords, bench.Stopping, PollInterval);
            return Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        }
    }

    private static double InSlices(double milliseconds) => milliseconds / Slice.TotalMilliseconds;
}
