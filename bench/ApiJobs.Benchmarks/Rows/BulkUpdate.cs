using System.Diagnostics;
using ApiJobs.Benchmarks.Data;
using ApiJobs.Benchmarks.Databases;
using ApiJobs.Benchmarks.Engine;
using ApiJobs.Benchmarks.Floors;
using ApiJobs.Benchmarks.Measuring;

namespace ApiJobs.Benchmarks.Rows;

/// <summary>One request that updates 200,000 existing cases, beside a raw loop over a copy of the same table.</summary>
internal static class BulkUpdate
{
    private const string Applied = "ApiJobs, 202 → completed", Sent = "ApiJobs, request → completed", Raw = "raw loop",
        Untidy = "ApiJobs, untidy data, request → completed";

    public static async Task<RowResult> RunAsync(Bench bench, Store store)
    {
        var records = bench.Scale(full: 200_000, quick: 10_000);
        var generator = new CaseGenerator(Bench.Seed);
        var (database, copy) = await SeedTwiceAsync(bench, store, records);
        await using var server = await EngineServer.StartAsync(bench, database);
        var company = server.Companies[0];
        var rounds = bench.NewRounds();

        // Every round writes notes that no round before has written. The copy goes its own way, but through the same texts.
        await rounds.RunAsync(
            async round =>
            {
                await database.SettleAsync(bench.Stopping);
                var version = 1 + (2 * round);
                var body = BulkBody.Make(records, (writer, record) => generator.WriteUpdate(writer, record, version));
                var (sentAt, acceptedAt, endedAt) = await RunJobAsync(company, body, records, bench.Stopping);
                rounds.Add(Applied, "records/s", records / Stopwatch.GetElapsedTime(acceptedAt, endedAt).TotalSeconds);
                rounds.Add(Sent, "records/s", records / Stopwatch.GetElapsedTime(sentAt, endedAt).TotalSeconds);

                await database.SettleAsync(bench.Stopping);
                body = BulkBody.Make(records, (writer, record) => generator.WriteUpdate(writer, record, version + 1, Mix.Realistic));
                (sentAt, _, endedAt) = await RunJobAsync(company, body, effected: null, bench.Stopping);
                rounds.Add(Untidy, "records/s", records / Stopwatch.GetElapsedTime(sentAt, endedAt).TotalSeconds);
            },
            async round =>
            {
                await copy.SettleAsync(bench.Stopping);
                var version = 1 + (2 * round);
                var rows = Enumerable.Range(0, records).Select(record => (generator.CaseId(record), generator.Notes(record, version))).ToArray();
                var began = Stopwatch.GetTimestamp();
                await RawLoop.UpdateAsync(copy, company.Id, rows, bench.Stopping);
                rounds.Add(Raw, "records/s", records / Stopwatch.GetElapsedTime(began).TotalSeconds);
            });

        return new(
            new Dictionary<string, string>
            {
                ["store"] = await copy.DescribeAsync(bench.Stopping),
                ["records in the request"] = $"{records:N0}",
                ["bytes in the request"] = $"{BulkBody.Make(records, (writer, record) => generator.WriteUpdate(writer, record, 1)).Length:N0}",
                ["rows a transaction of the raw loop"] = $"{RawLoop.RowsPerTransaction:N0}",
            },
            [.. rounds.All],
            [
                rounds.Ratio("202 → completed ÷ raw loop", Applied, Raw, Goal.AtLeast(0.80)),
                rounds.Ratio("request → completed ÷ raw loop", Sent, Raw, Goal.AtLeast(0.80)),
                rounds.Ratio("untidy data ÷ tidy data", Untidy, Sent, goal: null),
            ],
            []);
    }

    /// <summary>Makes a database with cases of one company, and its copy, which nobody works on yet.</summary>
    public static async Task<(Database Database, Database Copy)> SeedTwiceAsync(Bench bench, Store store, int records)
    {
        var database = await bench.NewDatabaseAsync(store);
        await using (var server = await EngineServer.StartAsync(bench, database))
        {
            bench.Log($"creating {records:N0} cases");
            await EngineServer.SeedAsync(server.Companies[0], records, bench.Stopping);
            await server.StopAsync();
        }

        return (database, bench.Keep(await database.CopyAsync(bench.Stopping)));
    }

    /// <summary>Sends an update and waits for its end.</summary>
    /// <returns>The timestamps of the first byte sent, of the 202, and of the end seen.</returns>
    public static async Task<(long SentAt, long AcceptedAt, long EndedAt)> RunJobAsync(
        Company company, byte[] body, long? effected, CancellationToken cancellationToken, string path = "/engine/api/cases/bulk")
    {
        var sentAt = Stopwatch.GetTimestamp();
        var job = await company.AcceptAsync(HttpMethod.Patch, Company.Json(body), cancellationToken, path);
        var acceptedAt = Stopwatch.GetTimestamp();
        if (effected is { } count)
            await company.WaitUntilEffectedAsync(job, count, cancellationToken);
        else
            await company.WaitAsync(job, cancellationToken);
        return (sentAt, acceptedAt, Stopwatch.GetTimestamp());
    }
}
