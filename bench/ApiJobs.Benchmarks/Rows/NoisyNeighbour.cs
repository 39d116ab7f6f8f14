using System.Diagnostics;
using ApiJobs.Benchmarks.Data;
using ApiJobs.Benchmarks.Databases;
using ApiJobs.Benchmarks.Engine;
using ApiJobs.Benchmarks.Measuring;

namespace ApiJobs.Benchmarks.Rows;

/// <summary>Twenty companies that send ten records each at the same moment, beside one that sent a million, and without it.</summary>
internal static class NoisyNeighbour
{
    private const int Others = 20, SmallRecords = 10, Cases = 50_000;

    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(20);

    private const string Beside50 = "beside the neighbour, p50", Beside99 = "beside the neighbour, p99",
        Idle50 = "idle server, p50", Idle99 = "idle server, p99";

    public static async Task<RowResult> RunAsync(Bench bench, Store store)
    {
        var bursts = bench.Scale(full: 5, quick: 2);
        var huge = bench.Scale(full: 1_000_000, quick: 50_000);
        var generator = new CaseGenerator(Bench.Seed);
        var database = await bench.NewDatabaseAsync(store);
        await using var server = await EngineServer.StartAsync(bench, database, companies: 1 + Others, ("Worker:Slots", "1"));
        await EngineServer.SeedAsync(server.Companies[0], Cases, bench.Stopping);
        await Task.WhenAll(server.Companies.Skip(1).Select(other => EngineServer.SeedAsync(other, SmallRecords, bench.Stopping)));
        var neighbour = new HugeJob(server.Companies[0], Cases, huge, bench.Stopping);
        var version = 0;
        var rounds = bench.NewRounds(atMost: 3);

        await rounds.RunAsync(async _ =>
        {
            await MeasureBurstsAsync(Idle50, Idle99, prepare: () => Task.CompletedTask);
            await MeasureBurstsAsync(Beside50, Beside99, neighbour.EnsureRunningAsync);
            while (await neighbour.IsRunningAsync())
                await Task.Delay(PollInterval, TimeProvider.System, bench.Stopping);
        });

        return new(
            new Dictionary<string, string>
            {
                ["store"] = await database.DescribeAsync(bench.Stopping),
                ["worker slots"] = "1",
                ["records of the neighbour"] = $"{huge:N0} in one job",
                ["bursts in a round"] = $"{bursts}, in each of which {Others} companies send {SmallRecords} records at once, and ask every {PollInterval.TotalMilliseconds} ms",
            },
            [.. rounds.All],
            [
                rounds.Ratio("p50, beside ÷ idle", Beside50, Idle50, goal: null),
                rounds.Ratio("p99, beside ÷ idle", Beside99, Idle99, goal: null),
            ],
            []);

        async Task MeasureBurstsAsync(string median, string worst, Func<Task> prepare)
        {
            var milliseconds = new List<double>();
            for (var burst = 0; burst < bursts; burst++)
            {
                await prepare();
                version++;
                var body = BulkBody.Make(SmallRecords, (writer, record) => generator.WriteUpdate(writer, record, version));
                milliseconds.AddRange(await Task.WhenAll(server.Companies.Skip(1).Select(other => MeasureAsync(other, body))));
            }

            rounds.Add(median, "ms", Statistics.Median(milliseconds));
            rounds.Add(worst, "ms", Statistics.Percentile(milliseconds, 0.99));
        }

        async Task<double> MeasureAsync(Company other, byte[] body)
        {
            var began = Stopwatch.GetTimestamp();
            var job = await other.AcceptAsync(HttpMethod.Patch, Company.Json(body), bench.Stopping);
            await other.WaitUntilEffectedAsync(job, SmallRecords, bench.Stopping, PollInterval);
            return Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        }
    }
}
