using System.Diagnostics;
using ApiJobs.Benchmarks.Data;
using ApiJobs.Benchmarks.Databases;
using ApiJobs.Benchmarks.Engine;
using ApiJobs.Benchmarks.Measuring;
using ApiJobs.Benchmarks.Peers;

namespace ApiJobs.Benchmarks.Rows;

/// <summary>How long a small import waits beside companies in trouble: fifty whose operation crashes on every record, and one whose operation is slow.</summary>
internal static class BesideTrouble
{
    private const int SmallRecords = 10, CrashingCompanies = 50, CrashingRecords = 100;

    // The worker's default.
    private static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(3);

    private const string CrashAccepted = "202 beside crashing lanes, p99", CrashCompleted = "completed beside crashing lanes, p99",
        SlowAccepted = "202 beside a slow operation, p99", SlowCompleted = "completed beside a slow operation, p99", Idle = "completed, idle server, p50";

    public static async Task<RowResult> RunAsync(Bench bench, Store store)
    {
        var samples = bench.Scale(full: 100, quick: 20);
        var database = await bench.NewDatabaseAsync(store);
        await using var node = await TroubledNode.StartAsync(database, bench.Stopping);
        using var http = new HttpClient { BaseAddress = node.Url, Timeout = Timeout.InfiniteTimeSpan };
        var generator = new CaseGenerator(Bench.Seed);
        var quiet = NewCompany();
        var crashing = Enumerable.Range(0, CrashingCompanies).Select(_ => NewCompany()).ToArray();
        var slow = NewCompany();
        var version = 0;
        await quiet.WaitUntilEffectedAsync(await SendAsync(HttpMethod.Post), SmallRecords, bench.Stopping);
        var rounds = bench.NewRounds(atMost: 3);

        await rounds.RunAsync(async _ =>
        {
            var idle = new List<double>();
            for (var sample = 0; sample < samples; sample++)
                idle.Add((await MeasureAsync()).Completed);
            rounds.Add(Idle, "ms", Statistics.Median(idle));
            await MeasureBesideAsync(crashing, TroubledNode.CrashingPath, CrashingRecords, CrashAccepted, CrashCompleted);
            // As many records as keep the operation busy for all samples, and then some.
            await MeasureBesideAsync([slow], TroubledNode.SlowPath, records: 2_000, SlowAccepted, SlowCompleted);
        });

        return new(
            new Dictionary<string, string>
            {
                ["store"] = await database.DescribeAsync(bench.Stopping),
                ["worker slots"] = "1",
                ["crashing"] = $"{CrashingCompanies} companies, each always with a job of {CrashingRecords} records, whose operation throws on each of them",
                ["slow"] = $"one company, always with a job, whose operation takes {TroubledNode.TimePerRecord.TotalMilliseconds} ms a record",
                ["small jobs in a round"] = $"{samples} of {SmallRecords} updates, one after another, each asked for every {PollInterval.TotalMilliseconds} ms",
            },
            [.. rounds.All],
            [InSlices(CrashAccepted), InSlices(CrashCompleted), InSlices(SlowAccepted), InSlices(SlowCompleted)],
            []);

        Company NewCompany()
        {
            var id = Guid.CreateVersion7();
            return new(http, id, id.ToString());
        }

        Comparison InSlices(string figure) =>
            new($"{figure}, in slices of 100 ms", [.. rounds[figure].Rounds.Select(milliseconds => milliseconds / Slice.TotalMilliseconds)], Goal.AtMost(3));

        async Task MeasureBesideAsync(Company[] troubled, string path, int records, string accepted, string completed)
        {
            using var enough = CancellationTokenSource.CreateLinkedTokenSource(bench.Stopping);
            var body = BulkBody.Make(records, static (writer, _) => { writer.WriteStartObject(); writer.WriteEndObject(); });
            var jobs = await Task.WhenAll(troubled.Select(company => company.AcceptAsync(HttpMethod.Post, Company.Json(body), bench.Stopping, path)));
            var feeding = Task.WhenAll(troubled.Zip(jobs, (company, job) => FeedAsync(company, job, path, body, enough.Token)));
            List<double> accepts = [], completions = [];
            for (var sample = 0; sample < samples; sample++)
            {
                var measured = await MeasureAsync();
                accepts.Add(measured.Accepted);
                completions.Add(measured.Completed);
            }

            await enough.CancelAsync();
            await feeding;
            rounds.Add(accepted, "ms", Statistics.Percentile(accepts, 0.99));
            rounds.Add(completed, "ms", Statistics.Percentile(completions, 0.99));
        }

        // Keeps a company's lane busy until there was enough, and then waits for its end, so that the next part has the server to itself.
        async Task FeedAsync(Company company, Guid job, string path, byte[] body, CancellationToken enough)
        {
            while (true)
            {
                await company.WaitAsync(job, bench.Stopping, TimeSpan.FromMilliseconds(200));
                if (enough.IsCancellationRequested)
                    return;
                job = await company.AcceptAsync(HttpMethod.Post, Company.Json(body), bench.Stopping, path);
            }
        }

        async Task<(double Accepted, double Completed)> MeasureAsync()
        {
            var began = Stopwatch.GetTimestamp();
            var job = await SendAsync(HttpMethod.Patch);
            var accepted = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
            await quiet.WaitUntilEffectedAsync(job, SmallRecords, bench.Stopping, PollInterval);
            return (accepted, Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }

        Task<Guid> SendAsync(HttpMethod method)
        {
            version++;
            var body = BulkBody.Make(SmallRecords, (writer, record) => generator.WriteUpdate(writer, record, version));
            return quiet.AcceptAsync(method, Company.Json(body), bench.Stopping);
        }
    }
}
