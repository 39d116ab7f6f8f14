using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace ApiJobs.Server.Tests.Uploads;

/// <summary>What an upload costs the server's process. The full size is measured by the benchmark <c>upload-memory</c>.</summary>
[Collection(nameof(MeasuresMemory))]
public sealed class UploadMemoryTests
{
    private const int Cases = 1_000, NotesLength = 1_500;

    private const long Small = 60_000_000, Huge = 8 * Small;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Memory_does_not_grow_with_the_upload()
    {
        // The more a process does the more of its code is compiled and the fuller its caches are: that is what the fourth part more allows.
        var small = await PeakMemoryOfAsync(Small);
        small.ShouldBeGreaterThan(0);
        (await PeakMemoryOfAsync(Huge)).ShouldBeLessThan(small * 5 / 4);
    }

    /// <summary>Sends an upload to a server of its own, and waits until it is applied.</summary>
    private static async Task<long> PeakMemoryOfAsync(long bytes)
    {
        var folder = Directory.CreateTempSubdirectory("apijobs-upload-");
        try
        {
            await using var server = await ServerProcess.StartAsync(
                new Dictionary<string, string>
                {
                    ["Storage:ConnectionString"] = "Data Source=upload.db",
                    ["Bootstrap:Clients:0:ClientId"] = "upload",
                    ["Bootstrap:Clients:0:ClientSecret"] = "upload-secret-of-32-characters-or-more",
                    ["Bootstrap:Clients:0:CompanyId"] = "aff00be6-f734-4094-a8ae-62874485dac0",
                    ["Bootstrap:Clients:0:Scopes"] = "jobs:read cases:read cases:write",
                },
                folder.FullName, cancellationToken: Cancel);
            using var http = new HttpClient { BaseAddress = server.Url, Timeout = Timeout.InfiniteTimeSpan };
            using var token = await http.PostAsJsonAsync(
                "/oauth/token", new { grant_type = "client_credentials", client_id = "upload", client_secret = "upload-secret-of-32-characters-or-more" }, Cancel);
            http.DefaultRequestHeaders.Authorization = new("Bearer", (await ReadAsync(token)).GetProperty("access_token").GetString());

            await RunAsync(http, HttpMethod.Post, new Records(Cases, long.MaxValue));
            var applied = await RunAsync(http, HttpMethod.Patch, new Records(long.MaxValue, bytes));
            applied.GetProperty("effected_records").GetInt64().ShouldBeGreaterThan(bytes / NotesLength / 2);
            using var process = Process.GetProcessById(server.Id);
            return process.PeakWorkingSet64;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<JsonElement> RunAsync(HttpClient http, HttpMethod method, HttpContent content)
    {
        using var request = new HttpRequestMessage(method, "/engine/api/cases/bulk") { Content = content };
        using var accepted = await http.SendAsync(request, Cancel);
        accepted.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        while (true)
        {
            using var answer = await http.GetAsync(accepted.Headers.Location, Cancel);
            var job = await ReadAsync(answer);
            if (job.GetProperty("status").GetString() == "completed")
                return job;
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, Cancel);
        }
    }

    private static async Task<JsonElement> ReadAsync(HttpResponseMessage answer)
    {
        answer.IsSuccessStatusCode.ShouldBeTrue();
        return await answer.Content.ReadFromJsonAsync<JsonElement>(Cancel);
    }

    /// <summary>Cases with long notes, made while they are sent, over and over, each time with others.</summary>
    private sealed class Records : HttpContent
    {
        private readonly long _count, _bytes;

        public Records(long count, long bytes)
        {
            (_count, _bytes) = (count, bytes);
            Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
        }

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            var sent = 0L;
            for (var record = 0L; record < _count && sent < _bytes; record++)
            {
                var id = new Guid((int)(record % Cases) + 1, 0, 0, new byte[8]);
                var notes = new string((char)('a' + (record % 26)), NotesLength);
                var line = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{{\"id\":\"{id}\",\"notes\":\"{record} {notes}\"}}\n"));
                await stream.WriteAsync(line, Cancel);
                sent += line.Length;
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
