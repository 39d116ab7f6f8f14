using System.Diagnostics;
using System.Globalization;
using ApiJobs.Benchmarks.Data;
using ApiJobs.Benchmarks.Databases;
using ApiJobs.Benchmarks.Engine;
using ApiJobs.Benchmarks.Measuring;

namespace ApiJobs.Benchmarks.Rows;

/// <summary>The most memory the server takes to accept and apply a huge upload, beside a hundredth of it.</summary>
internal static class UploadMemory
{
    private const int Cases = 20_000, NotesLength = 1_500;

    private const string Small = "small upload, peak memory", Huge = "huge upload, peak memory", Speed = "huge upload, request → completed";

    public static async Task<RowResult> RunAsync(Bench bench)
    {
        var hugeBytes = bench.Scale(full: 10_000_000_000, quick: 200_000_000);
        var smallBytes = bench.Scale(full: 100_000_000, quick: 20_000_000);
        var generator = new CaseGenerator(Bench.Seed);
        var (database, _) = await BulkUpdate.SeedTwiceAsync(bench, Store.Sqlite, Cases);
        var format = BodyFormat.Json;
        var rounds = bench.NewRounds(atMost: 1);

        // Every measurement has a process of its own, because a process's peak never falls.
        await rounds.RunAsync(
            async round => rounds.Add(Small, "MiB", (await UploadAsync(smallBytes, 1 + (2 * round))).PeakMiB),
            async round =>
            {
                // There is nothing to warm up, and it takes minutes.
                if (round == 0)
                    return;
                var (peak, bytesPerSecond) = await UploadAsync(hugeBytes, 2 + (2 * round));
                rounds.Add(Huge, "MiB", peak);
                rounds.Add(Speed, "MB/s", bytesPerSecond / 1e6);
            });

        return new(
            new Dictionary<string, string>
            {
                ["store"] = await database.DescribeAsync(bench.Stopping),
                ["format"] = format.ToString().ToUpperInvariant(),
                ["huge upload"] = $"{hugeBytes / 1e6:N0} MB, made while it is sent",
                ["small upload"] = $"{smallBytes / 1e6:N0} MB",
                ["records"] = $"updates of {Cases:N0} cases over and over, notes of {NotesLength:N0} characters and more",
            },
            [.. rounds.All],
            [rounds.Ratio("huge ÷ small", Huge, Small, Goal.AtMost(1.10))],
            []);

        async Task<(double PeakMiB, double BytesPerSecond)> UploadAsync(long bytes, int version)
        {
            // By default no body may be so large.
            await using var server = await EngineServer.StartAsync(
                bench, database, settings: ("Intake:MaxBodyBytes", (2 * hugeBytes).ToString(CultureInfo.InvariantCulture)));
            var company = server.Companies[0];
            format = await company.SupportsAsync("application/x-ndjson", bench.Stopping) ? BodyFormat.Ndjson : BodyFormat.Json;
            using var body = new BulkBody(format, (_, written) => written >= bytes, (writer, record) =>
                generator.WriteUpdate(writer, record % Cases, version + (int)(record / Cases * 10), NotesLength));
            var began = Stopwatch.GetTimestamp();
            var job = await company.AcceptAsync(HttpMethod.Patch, body.WithContentType(), bench.Stopping);
            await company.WaitUntilEffectedAsync(job, body.RecordCount, bench.Stopping);
            return (server.PeakMemoryBytes() / 1024.0 / 1024.0, bytes / Stopwatch.GetElapsedTime(began).TotalSeconds);
        }
    }
}
