using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using ApiJobs.Stores.Tests.PostgreSql;

namespace ApiJobs.Server.Tests.Uploads;

/// <summary>One company sends all it can, in every way it can; another one goes on as if it were alone. What it waits for, and what the server takes, is printed.</summary>
[Collection(nameof(MeasuresMemory))]
public sealed class FloodTests(PostgreSqlDatabases databases, ITestOutputHelper output)
{
    private const int Rounds = 30, QueuedRecords = 100_000, QueuedBytes = 32 << 20, OpenUploads = 24;

    // The flood's senders have the same cores as the server, and other tests too. Behind an unbounded queue it would be minutes.
    private static readonly TimeSpan LongestAccept = TimeSpan.FromSeconds(15), LongestJob = TimeSpan.FromSeconds(45);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_company_that_floods_takes_the_service_from_nobody(bool onPostgreSql)
    {
        var folder = Directory.CreateTempSubdirectory("apijobs-flood-");
        try
        {
            await using var server = await StartAsync(folder.FullName, onPostgreSql ? await databases.CreateAsync() : null);
            var (flooding, other) = (await ClientAsync(server, "flooding"), await ClientAsync(server, "other"));
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
            var flood = new Flood(server.Url, flooding, stop.Token);
            var running = flood.RunAsync();

            var (accepts, jobs) = (new List<TimeSpan>(), new List<TimeSpan>());
            while (accepts.Count < Rounds || !flood.HasMetEveryLimit)
            {
                running.IsCompleted.ShouldBeFalse($"{running.Exception}");
                accepts.Count.ShouldBeLessThan(20 * Rounds, $"The flood was too small to be stopped by anything: {flood}");
                var clock = Stopwatch.StartNew();
                using var accepted = await other.PostAsync("/engine/api/cases/bulk", Json("""[{"notes":"one of the others"}]"""), Cancel);
                accepts.Add(clock.Elapsed);
                accepted.StatusCode.ShouldBe(HttpStatusCode.Accepted);
                await EndAsync(other, accepted.Headers.Location!);
                jobs.Add(clock.Elapsed);
                // Within what a client may ask for: it is no flood.
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, Cancel);
            }

            await stop.CancelAsync();
            await running;
            using var process = Process.GetProcessById(server.Id);
            var disk = folder.EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length);
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"""
                {(onPostgreSql ? "PostgreSQL" : "SQLite")}, of {accepts.Count} jobs of the other company beside the flood:
                202: p50 {P(accepts, 50):N0} ms, p99 {P(accepts, 99):N0} ms; ended: p50 {P(jobs, 50):N0} ms, p99 {P(jobs, 99):N0} ms
                memory of the server at most {process.PeakWorkingSet64 / 1e6:N0} MB, files {disk / 1e6:N0} MB; the flood: {flood}
                """));
            accepts.Max().ShouldBeLessThan(LongestAccept);
            jobs.Max().ShouldBeLessThan(LongestJob);
            process.PeakWorkingSet64.ShouldBeLessThan(900_000_000);
            // What was accepted, some times over: as a chunk, its results, the log; and what is queued or was on its way.
            if (!onPostgreSql)
                disk.ShouldBeLessThan(4 * (flood.AcceptedBytes + ((OpenUploads + 1) * (long)QueuedBytes)));
            // What was on its way in is not queued, and may have been more than there was room for.
            var limits = await LimitsAsync(flooding);
            while (limits.GetProperty("open_uploads").GetProperty("used").GetInt64() > 0)
                limits = await LimitsAsync(flooding);
            limits.GetProperty("queued_records").GetProperty("used").GetInt64().ShouldBeLessThanOrEqualTo(QueuedRecords);
            (await LimitsAsync(other)).GetProperty("queued_records").GetProperty("used").GetInt64().ShouldBe(0);
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        static double P(List<TimeSpan> times, int percent) => times.Order().ElementAt(times.Count * percent / 100).TotalMilliseconds;
    }

    private static async Task<ServerProcess> StartAsync(string folder, string? connectionString)
    {
        var settings = new Dictionary<string, string>
        {
            ["Storage:Provider"] = connectionString is null ? "Sqlite" : "PostgreSql",
            ["Storage:ConnectionString"] = connectionString ?? "Data Source=flood.db",
            ["Logging:LogLevel:Default"] = "Warning",
            ["Limits:RequestsPerSecondPerClient"] = "30",
            ["Limits:RequestBurstPerClient"] = "60",
            ["Limits:OpenUploadsPerCompany"] = $"{OpenUploads}",
            ["Limits:QueuedRecordsPerCompany"] = $"{QueuedRecords}",
            ["Limits:QueuedBytesPerCompany"] = $"{QueuedBytes}",
            ["Http:MinBodyBytesPerSecond"] = "1",
        };
        foreach (var (client, number) in new[] { ("flooding", 0), ("other", 1) })
        {
            settings[$"Bootstrap:Clients:{number}:ClientId"] = client;
            settings[$"Bootstrap:Clients:{number}:ClientSecret"] = "flood-secret-of-32-characters-or-more";
            settings[$"Bootstrap:Clients:{number}:CompanyId"] = $"aff00be6-f734-4094-a8ae-62874485dac{number}";
            settings[$"Bootstrap:Clients:{number}:Scopes"] = "jobs:read cases:read cases:write";
        }

        return await ServerProcess.StartAsync(settings, folder, cancellationToken: Cancel);
    }

    private static async Task<HttpClient> ClientAsync(ServerProcess server, string client)
    {
        var http = new HttpClient { BaseAddress = server.Url, Timeout = TimeSpan.FromMinutes(2) };
        using var token = await http.PostAsJsonAsync(
            "/oauth/token", new { grant_type = "client_credentials", client_id = client, client_secret = "flood-secret-of-32-characters-or-more" }, Cancel);
        http.DefaultRequestHeaders.Authorization = new("Bearer", (await token.Content.ReadFromJsonAsync<JsonElement>(Cancel)).GetProperty("access_token").GetString());
        return http;
    }

    private static async Task EndAsync(HttpClient http, Uri job)
    {
        while ((await http.GetFromJsonAsync<JsonElement>(job, Cancel)).GetProperty("end_time").ValueKind == JsonValueKind.Null)
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, Cancel);
    }

    // A little later each time: what is known of the queue is then known anew, and whoever flooded may ask again.
    private static async Task<JsonElement> LimitsAsync(HttpClient http)
    {
        while (true)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System, Cancel);
            using var answer = await http.GetAsync("/engine/api/limits", Cancel);
            if (answer.IsSuccessStatusCode)
                return await answer.Content.ReadFromJsonAsync<JsonElement>(Cancel);
            answer.StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
        }
    }

    private static ByteArrayContent Json(string text, string type = "application/json") =>
        new(Encoding.UTF8.GetBytes(text)) { Headers = { ContentType = new MediaTypeHeaderValue(type) } };

    /// <summary>Tiny jobs, huge bodies, bodies that stand still, records that are all wrong, and as much of each as gets in.</summary>
    private sealed class Flood(Uri url, HttpClient http, CancellationToken stop)
    {
        private static readonly string[] Limits = ["too_many_uploads", "queue_full"];

        private static readonly byte[] Many = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 40_000).Select(number => $"{{\"ref\":\"{number}\"}}\n")));
        private static readonly byte[] Wrong = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("{\"id\":5,\"nonsense\":[1,2,3]}\n", 20_000)));
        private static readonly byte[] Large = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat($"{{\"notes\":\"{new string('x', 2_000)}\"}}\n", 8_000)));

        private readonly System.Collections.Concurrent.ConcurrentDictionary<string, int> _answers = [];
        private long _acceptedBytes;

        public long AcceptedBytes => Interlocked.Read(ref _acceptedBytes);

        public bool HasMetEveryLimit => Limits.All(_answers.ContainsKey);

        public override string ToString() => string.Join(", ", _answers.OrderBy(answer => answer.Key).Select(answer => $"{answer.Value} × {answer.Key}"));

        public async Task RunAsync()
        {
            // First, while the client has requests left: what comes later has to fight for them.
            var standing = Enumerable.Range(0, OpenUploads - 1).Select(_ => StandStillAsync()).ToArray();
            await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, stop);
            await Task.WhenAll(
            [
                .. standing,
                .. Enumerable.Range(0, 8).Select(_ => SendAsync("[{}]"u8.ToArray(), "application/json")),
                .. new[] { Many, Many, Wrong, Large, Large }.Select(body => SendAsync(body, "application/x-ndjson")),
            ]);
        }

        private async Task SendAsync(byte[] body, string type)
        {
            while (!stop.IsCancellationRequested)
            {
                try
                {
                    using var content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue(type) } };
                    using var answer = await http.PostAsync("/engine/api/cases/bulk", content, stop);
                    var code = answer.StatusCode == HttpStatusCode.Accepted ? "accepted" : (await answer.Content.ReadFromJsonAsync<JsonElement>(stop)).GetProperty("code").GetString()!;
                    _answers.AddOrUpdate(code, 1, (_, count) => count + 1);
                    if (code == "accepted")
                        Interlocked.Add(ref _acceptedBytes, body.Length);
                    else
                        // Whatever Retry-After says.
                        await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, stop);
                }
                catch (HttpRequestException)
                {
                    // Refused while it was still sending: not every client sees the answer.
                    _answers.AddOrUpdate("cut off", 1, (_, count) => count + 1);
                }
                catch (OperationCanceledException) when (stop.IsCancellationRequested)
                {
                    return;
                }
            }
        }

        // A chunk, and then a few bytes a second: just above what is cut off.
        private async Task StandStillAsync()
        {
            try
            {
                while (!stop.IsCancellationRequested)
                {
                    using var client = new TcpClient();
                    await client.ConnectAsync(url.Host, url.Port, stop);
                    var head = $"POST /engine/api/cases/bulk HTTP/1.1\r\nHost: localhost\r\nAuthorization: {http.DefaultRequestHeaders.Authorization}\r\nContent-Type: application/json\r\nContent-Length: 100000000\r\n\r\n[";
                    try
                    {
                        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(head + string.Concat(Enumerable.Repeat("{},", 1_500))), stop);
                        while (true)
                        {
                            await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, stop);
                            await client.GetStream().WriteAsync("          "u8.ToArray(), stop);
                        }
                    }
                    catch (IOException)
                    {
                        // It was refused, and comes again.
                    }
                }
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
            }
        }
    }
}
