using System.Diagnostics;
using ApiJobs.Benchmarks.Data;
using ApiJobs.Benchmarks.Databases;
using ApiJobs.Benchmarks.Engine;
using ApiJobs.Benchmarks.Measuring;
using ApiJobs.Benchmarks.Peers;

namespace ApiJobs.Benchmarks.Rows;

/// <summary>Streaming the results of a million records, beside an endpoint that streams the same bytes from a file; and the memory it takes, beside ten thousand.</summary>
internal static class ResultsExport
{
    private const string Lines = "application/x-ndjson";

    private const string Export = "GET records, NDJSON", Bare = "bare Kestrel endpoint, same bytes from a file";

    private const string SmallPeak = "small export, peak memory", HugePeak = "huge export, peak memory";

    public static async Task<RowResult> RunAsync(Bench bench)
    {
        var (huge, small) = (bench.Scale(full: 1_000_000, quick: 50_000), bench.Scale(full: 10_000, quick: 5_000));
        var database = await bench.NewDatabaseAsync(Store.Sqlite);
        string hugeList, smallList;
        await using (var server = await EngineServer.StartAsync(bench, database))
        {
            hugeList = await MakeAsync(server.Companies[0], 0, huge, bench.Stopping);
            smallList = await MakeAsync(server.Companies[0], huge, small, bench.Stopping);
            await server.StopAsync();
        }

        var file = Path.GetTempFileName();
        try
        {
            var rounds = bench.NewRounds();
            long bytes;
            await using (var server = await EngineServer.StartAsync(bench, database))
            {
                await using (var copy = File.Create(file))
                    bytes = await server.Companies[0].ReadToEndAsync(hugeList, Lines, copy, bench.Stopping);
                await using var bare = await BareEndpoint.StartAsync(file, bench.Stopping);
                using var http = new HttpClient { BaseAddress = bare.Url, Timeout = Timeout.InfiniteTimeSpan };
                var stranger = new Company(http, Guid.Empty, server.Companies[0].Token);
                await rounds.RunAsync(
                    async _ => rounds.Add(Export, "MB/s", await SpeedOfAsync(server.Companies[0], hugeList)),
                    async _ => rounds.Add(Bare, "MB/s", await SpeedOfAsync(stranger, "/file")));
            }

            // Every measurement has a process of its own, because a process's peak never falls.
            var peaks = bench.NewRounds(atMost: 3);
            await peaks.RunAsync(
                async _ => peaks.Add(SmallPeak, "MiB", await PeakOfAsync(smallList)),
                async _ => peaks.Add(HugePeak, "MiB", await PeakOfAsync(hugeList)));

            return new(
                new Dictionary<string, string>
                {
                    ["store"] = await database.DescribeAsync(bench.Stopping),
                    ["huge export"] = $"the results of {huge:N0} records, {bytes / 1e6:N0} MB",
                    ["small export"] = $"the results of {small:N0} records",
                },
                [.. rounds.All, .. peaks.All],
                [rounds.Ratio("÷ bare endpoint", Export, Bare, Goal.AtLeast(0.30)), peaks.Ratio("huge ÷ small", HugePeak, SmallPeak, Goal.AtMost(1.10))],
                []);

            async Task<double> SpeedOfAsync(Company company, string path)
            {
                var began = Stopwatch.GetTimestamp();
                if (await company.ReadToEndAsync(path, Lines, Stream.Null, bench.Stopping) != bytes)
                    throw new InvalidOperationException($"{path} should have {bytes} bytes.");
                return bytes / 1e6 / Stopwatch.GetElapsedTime(began).TotalSeconds;
            }
        }
        finally
        {
            File.Delete(file);
        }

        async Task<double> PeakOfAsync(string list)
        {
            await using var server = await EngineServer.StartAsync(bench, database);
            await server.Companies[0].ReadToEndAsync(list, Lines, Stream.Null, bench.Stopping);
            return server.PeakMemoryBytes() / 1024.0 / 1024.0;
        }
    }

    /// <summary>Makes a job of new cases.</summary>
    /// <returns>The path of its results.</returns>
    private static async Task<string> MakeAsync(Company company, long firstCase, int cases, CancellationToken cancellationToken)
    {
        var generator = new CaseGenerator(Bench.Seed);
        using var body = new BulkBody(BodyFormat.Ndjson, (count, _) => count >= cases, (writer, record) => generator.WriteCase(writer, firstCase + record));
        var job = await company.AcceptAsync(HttpMethod.Post, body.WithContentType(), cancellationToken);
        await company.WaitUntilEffectedAsync(job, cases, cancellationToken);
        return $"/engine/api/api-jobs/{job}/records";
    }
}
