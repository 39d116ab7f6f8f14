using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using ApiJobs.Benchmarks.Data;
using ApiJobs.Benchmarks.Databases;
using ApiJobs.Benchmarks.Engine;
using ApiJobs.Benchmarks.Measuring;
using ApiJobs.Benchmarks.Peers;
using ApiJobs.Server.Tests;

namespace ApiJobs.Benchmarks.Rows;

/// <summary>Thousands who wait for a job on one node, half with <c>Prefer: wait</c> and half with event streams, beside one who does.</summary>
internal static class Waiters
{
    private const int OpenedAtOnce = 100;

    private const string Told = "the last is told after the job's end", Memory = "the process's growth for each who waits",
        ManyQueries = "transactions/s while all wait", OneQueries = "transactions/s while one waits";

    public static async Task<RowResult> RunAsync(Bench bench, Store store)
    {
        var waiters = bench.Scale(full: 5_000, quick: 200);
        // As long as they take to connect, and then some.
        var records = bench.Scale(full: 5_000, quick: 600);
        var database = await bench.NewDatabaseAsync(store);
        var rounds = bench.NewRounds(atMost: 3);
        await rounds.RunAsync(async _ =>
        {
            var many = await MeasureAsync(bench, database, waiters, records);
            rounds.Add(Told, "s", many.ToldSeconds);
            rounds.Add(Memory, "KB", many.MemoryBytes / 1e3 / waiters);
            if (store != Store.PostgreSql)
                return;
            var one = await MeasureAsync(bench, database, waiters: 1, records);
            rounds.Add(ManyQueries, "transactions/s", many.TransactionsPerSecond);
            rounds.Add(OneQueries, "transactions/s", one.TransactionsPerSecond);
        });

        Comparison[] queries = store == Store.PostgreSql ? [rounds.Ratio("transactions, all ÷ one", ManyQueries, OneQueries, Goal.AtMost(1.1))] : [];
        return new(
            new Dictionary<string, string>
            {
                ["store"] = await database.DescribeAsync(bench.Stopping),
                ["waiters"] = $"{waiters:N0}, half Prefer: wait=60, half event streams, on a connection each",
                ["the job"] = $"{records:N0} records of an operation that takes {TroubledNode.TimePerRecord.TotalMilliseconds} ms for each, on the same node",
            },
            [.. rounds.All],
            [new(Told, rounds[Told].Rounds, Goal.AtMost(1)), new(Memory, rounds[Memory].Rounds, Goal.AtMost(20)), .. queries],
            []);
    }

    // A process of its own each time, because what a process has taken it does not give back.
    private static async Task<(double ToldSeconds, double MemoryBytes, double TransactionsPerSecond)> MeasureAsync(
        Bench bench, Database database, int waiters, int records)
    {
        await using var node = await TroubledNode.StartAsync(database, bench.Stopping, [
            new("Wait:MaxWaitersPerCompany", "1000000"),
            // All of them are one client's, and come at once.
            new("Limits:RequestsPerSecondPerClient", "0"), new("Limits:RequestsPerSecondPerCompany", "0"),
        ]);
        using var http = new HttpClient { BaseAddress = node.Url, Timeout = Timeout.InfiniteTimeSpan };
        var (id, token) = (Guid.CreateVersion7(), "");
        token = id.ToString();
        var company = new Company(http, id, token);
        // What a process does for the first time takes memory that is nobody's.
        await WaitForAllAsync(await SendAsync(10), 2 * OpenedAtOnce, () => Task.FromResult(0));

        var job = await SendAsync(records);
        var before = MemoryBytesOf(node);
        var (memory, transactions, began) = (0.0, 0L, 0L);
        var last = await WaitForAllAsync(job, waiters, async () =>
        {
            memory = MemoryBytesOf(node) - before;
            (transactions, began) = (await TransactionsAsync(), Stopwatch.GetTimestamp());
            return 0;
        });
        var rate = (await TransactionsAsync() - transactions) / Stopwatch.GetElapsedTime(began).TotalSeconds;
        using var ended = JsonDocument.Parse(await company.GetBytesAsync(job, bench.Stopping));
        var endedAt = DateTimeOffset.Parse(ended.RootElement.GetProperty("updated_at").GetString()!, CultureInfo.InvariantCulture);
        return ((last - endedAt).TotalSeconds, memory, rate);

        Task<Guid> SendAsync(int count) => company.AcceptAsync(
            HttpMethod.Post, Company.Json(BulkBody.Make(count, static (writer, _) => writer.WriteRawValue("{}"))), bench.Stopping, TroubledNode.SlowPath);

        async Task<DateTimeOffset> WaitForAllAsync(Guid job, int count, Func<Task<int>> whenAllWait)
        {
            var waiting = new List<Task<DateTimeOffset>>(count);
            foreach (var group in Enumerable.Range(0, count).Chunk(OpenedAtOnce))
            {
                var opened = group.Select(index => index % 2 == 0 ? OpenStreamAsync(http, token, job, bench.Stopping) : OpenPollAsync(http, token, job, bench.Stopping)).ToList();
                waiting.AddRange(opened.Select(async answer => await await answer));
                await Task.WhenAll(opened);
            }

            // The last requests are on their way; nothing says that they have arrived.
            await Task.Delay(TimeSpan.FromMilliseconds(300), TimeProvider.System, bench.Stopping);
            if (waiting.Exists(wait => wait.IsCompleted) && count > 2 * OpenedAtOnce)
                throw new InvalidOperationException("The job ended before all waited for it. Give it more records.");
            await whenAllWait();
            return (await Task.WhenAll(waiting)).Max();
        }

        async Task<long> TransactionsAsync() => database.Store == Store.PostgreSql
            ? await database.QueryAsync<long>("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()", bench.Stopping)
            : 0;
    }

    // Done when the stream is open; its result when it has ended.
    private static async Task<Task<DateTimeOffset>> OpenStreamAsync(HttpClient http, string token, Guid job, CancellationToken cancellationToken)
    {
        var answer = await http.SendAsync(NewRequest(token, $"/engine/api/api-jobs/{job}/events"), HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        answer.EnsureSuccessStatusCode();
        return ReadToEndAsync();

        async Task<DateTimeOffset> ReadToEndAsync()
        {
            using (answer)
            {
                var text = await answer.Content.ReadAsStringAsync(cancellationToken);
                return text.Contains("event: api_job.completed", StringComparison.Ordinal)
                    ? TimeProvider.System.GetUtcNow()
                    : throw new InvalidOperationException($"A stream did not tell the job's end: {text}");
            }
        }
    }

    private static Task<Task<DateTimeOffset>> OpenPollAsync(HttpClient http, string token, Guid job, CancellationToken cancellationToken)
    {
        return Task.FromResult(PollAsync());

        async Task<DateTimeOffset> PollAsync()
        {
            // As clients do: on a machine that is slow the job may take longer than one may wait.
            while (true)
            {
                using var request = NewRequest(token, $"/engine/api/api-jobs/{job}");
                request.Headers.Add("Prefer", "wait=60");
                using var answer = await http.SendAsync(request, cancellationToken);
                answer.EnsureSuccessStatusCode();
                if ((await answer.Content.ReadAsStringAsync(cancellationToken)).Contains("\"status\":\"completed\"", StringComparison.Ordinal))
                    return TimeProvider.System.GetUtcNow();
            }
        }
    }

    private static HttpRequestMessage NewRequest(string token, string path) => new(HttpMethod.Get, path) { Headers = { Authorization = new("Bearer", token) } };

    private static double MemoryBytesOf(ServerProcess node)
    {
        using var process = Process.GetProcessById(node.Id);
        return process.WorkingSet64;
    }
}
