using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace ApiJobs.Server.Tests.Uploads;

/// <summary>Each measures a process of its own; one beside the other, they would wait for each other's processors.</summary>
[CollectionDefinition(nameof(MeasuresMemory), DisableParallelization = true)]
public sealed class MeasuresMemory;

/// <summary>What a wave of uploads that stand still costs the server's process while it lasts, and after.</summary>
[Collection(nameof(MeasuresMemory))]
public sealed class StalledUploadMemoryTests
{
    private const int Uploads = 300, RecordBytes = 880_000;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_stalled_uploads_take_is_bounded_and_goes_back_to_the_system_when_they_are_gone()
    {
        var folder = Directory.CreateTempSubdirectory("apijobs-stalled-");
        try
        {
            await using var server = await ServerProcess.StartAsync(
                new Dictionary<string, string>
                {
                    ["Storage:ConnectionString"] = "Data Source=stalled.db",
                    ["Bootstrap:Clients:0:ClientId"] = "upload",
                    ["Bootstrap:Clients:0:ClientSecret"] = "upload-secret-upload-secret-upload-secret",
                    ["Bootstrap:Clients:0:CompanyId"] = "aff00be6-f734-4094-a8ae-62874485dac0",
                    ["Bootstrap:Clients:0:Scopes"] = "cases:write",
                },
                folder.FullName, cancellationToken: Cancel);
            var token = await TakeTokenAsync(server.Url);
            var idle = MemoryOf(server.Id);

            // One record of 880 KB, and the next one without its end.
            var record = $"{{\"notes\":\"{new string('x', RecordBytes)}";
            var sent = Encoding.UTF8.GetBytes($"[{record}\"}},{record}");
            var head = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture,
                $"POST /engine/api/cases/bulk HTTP/1.1\r\nHost: {server.Url.Authority}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {2 * sent.Length}\r\n\r\n"));
            var connections = new List<TcpClient>();
            for (var upload = 0; upload < Uploads; upload++)
            {
                var connection = new TcpClient();
                connections.Add(connection);
                await connection.ConnectAsync(server.Url.Host, server.Url.Port, Cancel);
                await connection.GetStream().WriteAsync(head, Cancel);
                await connection.GetStream().WriteAsync(sent, Cancel);
            }

            // Both records of each must be there, or nearly: what one upload holds of them cannot be less.
            await MemoryWhenAsync(server.Id, memory => memory > idle + (Uploads * RecordBytes * 17L / 10));
            connections.ForEach(connection => connection.Dispose());
            using var process = Process.GetProcessById(server.Id);
            var taken = process.PeakWorkingSet64 - idle;
            var after = await MemoryWhenAsync(server.Id, memory => memory < idle + (taken / 2));

            taken.ShouldBeLessThan(Uploads * RecordBytes * 4L);
            TestContext.Current.SendDiagnosticMessage("{0:N0} bytes idle, {1:N0} more with {2} stalled uploads, {3:N0} after", idle, taken, Uploads, after);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<string> TakeTokenAsync(Uri server)
    {
        using var http = new HttpClient { BaseAddress = server };
        using var answer = await http.PostAsJsonAsync(
            "/oauth/token",
            new { grant_type = "client_credentials", client_id = "upload", client_secret = "upload-secret-upload-secret-upload-secret" }, Cancel);
        return (await answer.Content.ReadFromJsonAsync<JsonElement>(Cancel)).GetProperty("access_token").GetString()!;
    }

    private static async Task<long> MemoryWhenAsync(int processId, Func<long, bool> isReached)
    {
        // Of another process's memory there is no signal.
        for (var began = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(began) < Patience;)
        {
            if (MemoryOf(processId) is var memory && isReached(memory))
                return memory;
            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, Cancel);
        }

        throw new ShouldAssertException($"After {Patience} the process still has {MemoryOf(processId):N0} bytes.");
    }

    private static long MemoryOf(int processId)
    {
        using var process = Process.GetProcessById(processId);
        return process.WorkingSet64;
    }
}
