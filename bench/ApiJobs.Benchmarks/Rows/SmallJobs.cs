using System.Diagnostics;
using ApiJobs.Benchmarks.Databases;
using ApiJobs.Benchmarks.Engine;
using ApiJobs.Benchmarks.Measuring;
using ApiJobs.Benchmarks.Peers;
using Hangfire;

namespace ApiJobs.Benchmarks.Rows;

/// <summary>Jobs of one update each, over HTTP, beside the no-op jobs of other queues.</summary>
internal static class SmallJobs
{
    // A busy integration platform: some tens of connections, a handful of companies, several connections to each.
    private const int Clients = 32, Companies = 8, JobsPerCall = 1_000;

    /// <summary>How many cases every company has.</summary>
    public const int CasesPerCompany = 1_000;

    private const string OnPostgreSql = "ApiJobs on PostgreSQL, one update a job", OnSqlite = "ApiJobs on SQLite, one update a job",
        Hangfire = "Hangfire.PostgreSql, no-op", Graphile = "graphile-worker, no-op", PgBoss = "pg-boss, no-op",
        GraphileInBulk = "graphile-worker, no-op, 1,000 queued a call", PgBossInBulk = "pg-boss, no-op, 1,000 queued a call";

    public static async Task<RowResult> RunAsync(Bench bench)
    {
        var jobs = bench.Scale(full: 100_000, quick: 1_000);
        var nodeJobs = bench.Scale(full: 10_000, quick: 1_000);
        var hangfireJobs = bench.Scale(full: 1_000, quick: 100);
        await NodePeer.InstallAsync(bench.Stopping);

        var postgreSql = (PostgreSqlDatabase)await bench.NewDatabaseAsync(Store.PostgreSql);
        var hangfirePeer = await postgreSql.NewBesideAsync();
        var graphilePeer = await postgreSql.NewBesideAsync();
        var pgBossPeer = await postgreSql.NewBesideAsync();
        await using var onPostgreSql = await StartAsync(bench, postgreSql);
        await using var onSqlite = await StartAsync(bench, await bench.NewDatabaseAsync(Store.Sqlite));
        var rounds = bench.NewRounds(atMost: 3);

        await rounds.RunAsync(
            async round => rounds.Add(OnPostgreSql, "jobs/s", await MeasureAsync(bench, onPostgreSql, jobs, round)),
            async round => rounds.Add(OnSqlite, "jobs/s", await MeasureAsync(bench, onSqlite, jobs, round)),
            async _ => rounds.Add(Hangfire, "jobs/s", await MeasureHangfireAsync(bench, hangfirePeer, hangfireJobs)),
            _ => MeasureNodeAsync(Graphile, "graphile-worker.mjs", graphilePeer, jobsPerCall: 1),
            _ => MeasureNodeAsync(PgBoss, "pg-boss.mjs", pgBossPeer, jobsPerCall: 1),
            // Not what one-record requests can do, but what these queues do best: for the whole picture.
            _ => MeasureNodeAsync(GraphileInBulk, "graphile-worker.mjs", graphilePeer, JobsPerCall),
            _ => MeasureNodeAsync(PgBossInBulk, "pg-boss.mjs", pgBossPeer, JobsPerCall));

        return new(
            new Dictionary<string, string>
            {
                ["store"] = await postgreSql.DescribeAsync(bench.Stopping),
                ["callers"] = $"{Clients} at once, each queues one job after another",
                ["companies"] = $"{Companies}",
                ["jobs in a round"] = $"{jobs:N0} (graphile-worker and pg-boss: {nodeJobs:N0}, Hangfire: {hangfireJobs:N0})",
            },
            [.. rounds.All],
            [
                rounds.Ratio("÷ Hangfire.PostgreSql", OnPostgreSql, Hangfire, Goal.AtLeast(20)),
                rounds.Ratio("÷ graphile-worker", OnPostgreSql, Graphile, Goal.AtLeast(1)),
                rounds.Ratio("÷ pg-boss", OnPostgreSql, PgBoss, Goal.AtLeast(1)),
                rounds.Ratio("÷ graphile-worker, queued in bulk", OnPostgreSql, GraphileInBulk, goal: null),
                rounds.Ratio("÷ pg-boss, queued in bulk", OnPostgreSql, PgBossInBulk, goal: null),
                rounds.Ratio("on SQLite ÷ on PostgreSQL", OnSqlite, OnPostgreSql, goal: null),
            ],
            []);

        async Task MeasureNodeAsync(string name, string script, PostgreSqlDatabase peer, int jobsPerCall) =>
            rounds.Add(name, "jobs/s", await NodePeer.MeasureAsync(script, peer, nodeJobs, Clients, jobsPerCall, bench.Stopping));
    }

    /// <summary>Starts a server with companies that have cases to update.</summary>
    public static async Task<EngineServer> StartAsync(Bench bench, Database database)
    {
        var server = await EngineServer.StartAsync(bench, database, Companies);
        await Task.WhenAll(server.Companies.Select(company => EngineServer.SeedAsync(company, CasesPerCompany, bench.Stopping)));
        return server;
    }

    /// <summary>Measures jobs per second with the row's number of callers.</summary>
    public static Task<double> MeasureAsync(Bench bench, EngineServer server, int jobs, int round) =>
        new OneRecordJobs(server, Clients).RunAsync(jobs, version: 1 + (round * 1_000), CasesPerCompany, bench.Stopping);

    private static async Task<double> MeasureHangfireAsync(Bench bench, PostgreSqlDatabase database, int jobs)
    {
        await using var hangfire = HangfireServer.Start(database);
        HangfireJobs.Expect(jobs);
        var left = jobs;
        var began = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => Task.Run(
            () =>
            {
                while (Interlocked.Decrement(ref left) >= 0)
                    hangfire.Jobs.Enqueue(() => HangfireJobs.DoNothing());
            },
            bench.Stopping)));
        var (notRun, endedAt) = await HangfireJobs.WaitAsync(bench.Stopping);
        if (notRun > 0)
            bench.Log($"careful: Hangfire took {notRun} of {jobs:N0} jobs off its queue without running them; they are left out");
        return (jobs - notRun) / Stopwatch.GetElapsedTime(began, endedAt).TotalSeconds;
    }
}
