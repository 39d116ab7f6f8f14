using System.Diagnostics;
using ApiJobs.Benchmarks.Data;
using ApiJobs.Benchmarks.Databases;
using ApiJobs.Benchmarks.Engine;
using ApiJobs.Benchmarks.Measuring;
using ApiJobs.PostgreSql;
using ApiJobs.Resources;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace ApiJobs.Benchmarks.Rows;

/// <summary>What a claim costs on PostgreSQL when the tables hold a million ended and a hundred thousand queued jobs.</summary>
internal static class ClaimCost
{
    private const int EndedCompanies = 100, QueuedCompanies = 1_000;

    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(15);

    private const string Node = "bench";

    private const string Full = "claim, full store", Empty = "claim, empty store";

    public static async Task<RowResult> RunAsync(Bench bench)
    {
        var ended = bench.Scale(full: 1_000_000, quick: 20_000);
        var queued = bench.Scale(full: 100_000, quick: 10_000);
        var claims = bench.Scale(full: 3_000, quick: 300);
        var full = (PostgreSqlDatabase)await bench.NewDatabaseAsync(Store.PostgreSql);
        var endedModel = await AddJobAsync(bench, full, worker: true);
        var queuedModel = await AddJobAsync(bench, full, worker: false);
        // "Empty" holds one company's queued job: a claim that finds nothing would be another statement to compare with.
        var empty = (PostgreSqlDatabase)bench.Keep(await full.CopyAsync(bench.Stopping));
        bench.Log($"copying {ended:N0} ended and {queued:N0} queued jobs");
        await new ClonedJobs(full, endedModel.CompanyId, endedModel.JobId).AddEndedAsync(ended, EndedCompanies, bench.Stopping);
        await new ClonedJobs(full, queuedModel.CompanyId, queuedModel.JobId, firstCompany: 10_000).AddPendingAsync(queued, QueuedCompanies, bench.Stopping);

        await using var fullStore = Open(full);
        await using var emptyStore = Open(empty);
        var rounds = bench.NewRounds();
        await rounds.RunAsync(
            async _ => rounds.Add(Full, "µs", await MeasureAsync(bench, full, fullStore, claims)),
            async _ => rounds.Add(Empty, "µs", await MeasureAsync(bench, empty, emptyStore, claims)));

        return new(
            new Dictionary<string, string>
            {
                ["store"] = await full.DescribeAsync(bench.Stopping),
                ["full"] = $"{ended:N0} ended jobs in {EndedCompanies} companies, {queued:N0} queued jobs in {QueuedCompanies:N0} companies",
                ["claims in a round"] = $"{claims:N0}; every lane is released again, which is not in the figure",
            },
            [.. rounds.All],
            [rounds.Ratio("full ÷ empty", Full, Empty, Goal.AtMost(1.2))],
            [await ExplainAsync(full, "full store", bench.Stopping), await ExplainAsync(empty, "empty store", bench.Stopping)]);
    }

    // A job of one record that is ended, or (without a worker) stays queued, by a company of its own each.
    private static async Task<(Guid CompanyId, Guid JobId)> AddJobAsync(Bench bench, Database database, bool worker)
    {
        await using var server = await EngineServer.StartAsync(bench, database, companies: 2, ("Worker:Enabled", worker ? "true" : "false"));
        var company = server.Companies[worker ? 0 : 1];
        var body = BulkBody.Make(1, (writer, record) => new CaseGenerator(Bench.Seed).WriteCase(writer, record));
        var job = await company.AcceptAsync(HttpMethod.Post, Company.Json(body), bench.Stopping);
        if (worker)
            await company.WaitUntilEffectedAsync(job, 1, bench.Stopping);
        await server.StopAsync();
        return (company.Id, job);
    }

    private static PostgreSqlStore Open(PostgreSqlDatabase database) => new(
        new() { ConnectionString = database.ServerSettings["Storage:ConnectionString"], Listen = false },
        new ResourceCatalog([]), TimeProvider.System, NullLogger<PostgreSqlStore>.Instance);

    private static async Task<double> MeasureAsync(Bench bench, PostgreSqlDatabase database, PostgreSqlStore store, int claims)
    {
        await database.SettleAsync(bench.Stopping);
        var microseconds = new List<double>(claims);
        for (var claim = 0; claim < claims; claim++)
        {
            var began = Stopwatch.GetTimestamp();
            var lease = await store.Lanes.ClaimLaneAsync(Node, Lease, bench.Stopping) ?? throw new InvalidOperationException("No lane has work.");
            microseconds.Add(Stopwatch.GetElapsedTime(began).TotalMicroseconds);
            await store.Lanes.ReleaseLaneAsync(lease, fault: null, bench.Stopping);
        }

        return Statistics.Median(microseconds);
    }

    // The statement is taken from the database, which remembers what each connection asked last: so it is the store's own,
    // whatever becomes of it.
    private static async Task<string> ExplainAsync(PostgreSqlDatabase database, string name, CancellationToken cancellationToken)
    {
        await using var store = Open(database);
        _ = await store.Lanes.ClaimLaneAsync(Node, TimeSpan.FromMilliseconds(1), cancellationToken);
        await using var connection = (NpgsqlConnection)await database.OpenAsync(cancellationToken);
        await using var find = new NpgsqlCommand(
            "SELECT query FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%SKIP LOCKED%' AND pid <> pg_backend_pid() LIMIT 1", connection);
        var claim = (string?)await find.ExecuteScalarAsync(cancellationToken)
            ?? throw new InvalidOperationException("The claim's statement was not found in pg_stat_activity.");
        await using var prepare = new NpgsqlCommand($"BEGIN; PREPARE claim AS {claim}", connection) { AllResultTypesAreUnknown = true };
        await prepare.ExecuteNonQueryAsync(cancellationToken);
        await using var explain = new NpgsqlCommand(
            $"EXPLAIN (ANALYZE, BUFFERS) EXECUTE claim('{Guid.CreateVersion7()}', '15 seconds')", connection);
        await using var reader = await explain.ExecuteReaderAsync(cancellationToken);
        var plan = new List<string> { $"The claim's plan, {name}:", "" };
        while (await reader.ReadAsync(cancellationToken))
            plan.Add("    " + reader.GetString(0));
        return string.Join('\n', plan);
    }
}
