using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace ApiJobs.Server.Tests.Uploads;

/// <summary>What sending a long list of results costs the server's process, to a client that reads and to one that does not.</summary>
[Collection(nameof(MeasuresMemory))]
public sealed class ExportMemoryTests(ITestOutputHelper output)
{
    private const int Records = 200_000, NotesLength = 1_000;

    // The list has some 220 million bytes: held by the server, once or twice, they would show.
    private const long AllowedGrowth = 100_000_000;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Memory_does_not_grow_with_the_list_nor_with_a_client_that_stops_reading()
    {
        var folder = Directory.CreateTempSubdirectory("apijobs-export-");
        try
        {
            await using var server = await ServerProcess.StartAsync(
                new Dictionary<string, string>
                {
                    ["Storage:ConnectionString"] = "Data Source=export.db",
                    ["Bootstrap:Clients:0:ClientId"] = "export",
                    ["Bootstrap:Clients:0:ClientSecret"] = "export-secret-of-32-characters-or-more",
                    ["Bootstrap:Clients:0:CompanyId"] = "aff00be6-f734-4094-a8ae-62874485dac0",
                    ["Bootstrap:Clients:0:Scopes"] = "jobs:read cases:write",
                },
                folder.FullName, cancellationToken: Cancel);
            using var http = new HttpClient { BaseAddress = server.Url, Timeout = Timeout.InfiniteTimeSpan };
            using var token = await http.PostAsJsonAsync(
                "/oauth/token", new { grant_type = "client_credentials", client_id = "export", client_secret = "export-secret-of-32-characters-or-more" }, Cancel);
            http.DefaultRequestHeaders.Authorization = new("Bearer", (await token.Content.ReadFromJsonAsync<JsonElement>(Cancel)).GetProperty("access_token").GetString());
            var job = await RunAsync(http);
            var before = PeakMemoryOf(server);

            // The stalled list is begun first, so that the server has all the time of the others to read on for it.
            using var stalled = await BeginAsync(http, job, "application/x-ndjson");
            var lines = await LengthOfAsync(http, job, "application/x-ndjson");
            var table = await LengthOfAsync(http, job, "text/csv");

            var growth = PeakMemoryOf(server) - before;
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{lines:N0} bytes as lines, {table:N0} as a table; peak memory {before:N0} bytes before, {growth:N0} more since."));
            lines.ShouldBeGreaterThan((long)Records * NotesLength);
            table.ShouldBeGreaterThan((long)Records * NotesLength);
            growth.ShouldBeLessThan(AllowedGrowth);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static long PeakMemoryOf(ServerProcess server)
    {
        using var process = Process.GetProcessById(server.Id);
        return process.PeakWorkingSet64;
    }

    private static async Task<HttpResponseMessage> BeginAsync(HttpClient http, Uri job, string format)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{job}/records?include=record");
        request.Headers.Accept.ParseAdd(format);
        var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancel);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        return answer;
    }

    private static async Task<long> LengthOfAsync(HttpClient http, Uri job, string format)
    {
        using var answer = await BeginAsync(http, job, format);
        await using var body = await answer.Content.ReadAsStreamAsync(Cancel);
        var (buffer, length) = (new byte[64 << 10], 0L);
        while (await body.ReadAsync(buffer, Cancel) is > 0 and var count)
            length += count;
        return length;
    }

    private static async Task<Uri> RunAsync(HttpClient http)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/engine/api/cases/bulk") { Content = new Cases() };
        using var accepted = await http.SendAsync(request, Cancel);
        accepted.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        while (true)
        {
            var job = await http.GetFromJsonAsync<JsonElement>(accepted.Headers.Location, Cancel);
            if (job.GetProperty("status").GetString() == "completed")
                return accepted.Headers.Location!;
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, Cancel);
        }
    }

    private sealed class Cases : HttpContent
    {
        public Cases() => Headers.ContentType = new("application/x-ndjson");

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            var notes = new string('n', NotesLength);
            for (var record = 0; record < Records; record++)
                await stream.WriteAsync(Encoding.UTF8.GetBytes($"{{\"id\":\"{(record % 3 == 0 ? "bad" : Guid.CreateVersion7())}\",\"notes\":\"{notes}\"}}\n"), Cancel);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
