using System.Diagnostics;
using ApiJobs.Benchmarks.Data;
using ApiJobs.Benchmarks.Databases;
using ApiJobs.Benchmarks.Engine;
using ApiJobs.Benchmarks.Floors;
using ApiJobs.Benchmarks.Measuring;
using ApiJobs.Benchmarks.Peers;
using Hangfire;

namespace ApiJobs.Benchmarks.Rows;

/// <summary>The same bulk update beside Hangfire jobs that update their records one by one, as they are written today.</summary>
internal static class BulkUpdateHangfire
{
    // The seed's own number of records in a job.
    private const int RecordsPerJob = 773;

    private const string Applied = "ApiJobs, 202 → completed", SameSize = "ApiJobs, jobs of 773, request → completed",
        Raw = "raw loop on one connection", ByEntityFramework = "Hangfire + EF Core, a record at a time", ByDapper = "Hangfire + Dapper, one transaction a job";

    public static async Task<RowResult> RunAsync(Bench bench)
    {
        var records = bench.Scale(full: 200_000, quick: 10_000);
        var jobs = bench.Scale(full: 20, quick: 3);
        var generator = new CaseGenerator(Bench.Seed);
        var (database, copy) = await BulkUpdate.SeedTwiceAsync(bench, Store.PostgreSql, records);
        var peer = (PostgreSqlDatabase)copy;
        HangfireJobs.ConnectionString = peer.ConnectionString;
        await using var server = await EngineServer.StartAsync(bench, database);
        var company = server.Companies[0];
        var rounds = bench.NewRounds(atMost: 3);
        var workers = 0;

        await rounds.RunAsync(
            async round =>
            {
                await database.SettleAsync(bench.Stopping);
                var body = BulkBody.Make(records, (writer, record) => generator.WriteUpdate(writer, record, 1 + (4 * round)));
                var (_, acceptedAt, endedAt) = await BulkUpdate.RunJobAsync(company, body, records, bench.Stopping);
                rounds.Add(Applied, "records/s", records / Stopwatch.GetElapsedTime(acceptedAt, endedAt).TotalSeconds);
                await MeasureSameSizeAsync(2 + (4 * round));
            },
            async round =>
            {
                await peer.SettleAsync(bench.Stopping);
                var rows = Enumerable.Range(0, records).Select(record => (generator.CaseId(record), generator.Notes(record, 1 + (4 * round)))).ToArray();
                var began = Stopwatch.GetTimestamp();
                await RawLoop.UpdateAsync(peer, company.Id, rows, bench.Stopping);
                rounds.Add(Raw, "records/s", records / Stopwatch.GetElapsedTime(began).TotalSeconds);
            },
            round => MeasureHangfireAsync(ByEntityFramework, 3 + (4 * round), (client, batch) =>
                client.Enqueue(() => HangfireJobs.UpdateByEntityFrameworkAsync(company.Id, batch))),
            round => MeasureHangfireAsync(ByDapper, 4 + (4 * round), (client, batch) =>
                client.Enqueue(() => HangfireJobs.UpdateByDapperAsync(company.Id, batch))));

        return new(
            new Dictionary<string, string>
            {
                ["store"] = await copy.DescribeAsync(bench.Stopping),
                ["records in the bulk request"] = $"{records:N0}",
                ["Hangfire"] = $"{jobs} jobs of {RecordsPerJob} records in a round, {workers} workers, EnableLongPolling, UseSlidingInvisibilityTimeout, recommended serializer settings",
            },
            [.. rounds.All],
            [
                rounds.Ratio("202 → completed ÷ Hangfire + EF Core", Applied, ByEntityFramework, Goal.AtLeast(25)),
                rounds.Ratio("202 → completed ÷ Hangfire + Dapper", Applied, ByDapper, Goal.AtLeast(10)),
                rounds.Ratio("raw loop ÷ Hangfire + Dapper", Raw, ByDapper, goal: null),
                rounds.Ratio("jobs of 773 ÷ Hangfire + EF Core", SameSize, ByEntityFramework, goal: null),
                rounds.Ratio("jobs of 773 ÷ Hangfire + Dapper", SameSize, ByDapper, goal: null),
            ],
            []);

        CaseNotes[] Batch(int job, int version) =>
        [
            .. Enumerable.Range(job * RecordsPerJob, RecordsPerJob)
                .Select(record => new CaseNotes(generator.CaseId(record % records), generator.Notes(record % records, version))),
        ];

        // The same jobs as Hangfire gets, sent one after another without waiting.
        async Task MeasureSameSizeAsync(int version)
        {
            await database.SettleAsync(bench.Stopping);
            var bodies = Enumerable.Range(0, jobs).Select(job => BulkBody.Make(
                RecordsPerJob, (writer, record) => generator.WriteUpdate(writer, ((job * RecordsPerJob) + record) % records, version))).ToArray();
            var began = Stopwatch.GetTimestamp();
            var last = Guid.Empty;
            foreach (var body in bodies)
                last = await company.AcceptAsync(HttpMethod.Patch, Company.Json(body), bench.Stopping);
            await company.WaitUntilEffectedAsync(last, RecordsPerJob, bench.Stopping, TimeSpan.FromMilliseconds(5));
            rounds.Add(SameSize, "records/s", jobs * RecordsPerJob / Stopwatch.GetElapsedTime(began).TotalSeconds);
        }

        async Task MeasureHangfireAsync(string name, int version, Action<BackgroundJobClient, CaseNotes[]> enqueue)
        {
            await peer.SettleAsync(bench.Stopping);
            await using var hangfire = HangfireServer.Start(peer);
            workers = hangfire.WorkerCount;
            var batches = Enumerable.Range(0, jobs).Select(job => Batch(job, version)).ToArray();
            HangfireJobs.Expect(jobs);
            var began = Stopwatch.GetTimestamp();
            foreach (var batch in batches)
                enqueue(hangfire.Jobs, batch);
            var (notRun, endedAt) = await HangfireJobs.WaitAsync(bench.Stopping);
            if (notRun > 0)
                bench.Log($"careful: Hangfire took {notRun} of {jobs} jobs off its queue without running them; they are left out");
            rounds.Add(name, "records/s", (jobs - notRun) * RecordsPerJob / Stopwatch.GetElapsedTime(began, endedAt).TotalSeconds);
        }
    }
}
