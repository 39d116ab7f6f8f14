#!/usr/bin/env dotnet
#:package Spectre.Console
#:property RestorePackagesWithLockFile=false
#:property PublishAot=false
// The main job, end to end, in one command: `dotnet run demo.cs`.
// It starts the real server on a free port with a fresh SQLite file, creates 773 cases, updates 773 records of which
// two do not exist and one is already up to date, and shows the API job as the seed does: 773 accepted, 770 effected.
// Options:  --keep    leave the server running afterwards, to try the curl lines it prints, until Ctrl+C
using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Spectre.Console;

const int Records = 773;
const string ClientId = "demo", ClientSecret = "demo-secret-of-32-characters-or-more", CompanyId = "aff00be6-f734-4094-a8ae-62874485dac0";
var keep = args.Contains("--keep");
var root = Path.GetDirectoryName(Path.GetFullPath(SourcePath()))!;
var data = Directory.CreateTempSubdirectory("apijobs-demo-");
using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) => { pressed.Cancel = true; stop.Cancel(); };

try
{
    AnsiConsole.MarkupLine("Building the server…");
    Build();
    await using var server = await ServerProcess.StartAsync(Path.Combine(root, "artifacts/bin/ApiJobs.Server/release/ApiJobs.Server.dll"), data.FullName,
        $"--Bootstrap:Clients:0:ClientId={ClientId}", $"--Bootstrap:Clients:0:ClientSecret={ClientSecret}", $"--Bootstrap:Clients:0:CompanyId={CompanyId}",
        "--Bootstrap:Clients:0:Scopes=jobs:read jobs:write cases:read cases:write customers:read customers:write");
    AnsiConsole.MarkupLine($"The server listens at [green]{server.Url}[/], its data is in {Markup.Escape(data.FullName)}.\n");

    using var http = new HttpClient { BaseAddress = new Uri(server.Url) };
    var token = await TakeTokenAsync(http);
    http.DefaultRequestHeaders.Authorization = new("Bearer", token);

    AnsiConsole.MarkupLine($"POST /engine/api/cases/bulk: {Records} new cases.");
    var ids = Enumerable.Range(0, Records).Select(_ => Guid.CreateVersion7()).ToArray();
    await RunJobAsync(http, HttpMethod.Post, [.. ids.Select((id, i) => new { id, @ref = $"W-{i:0000}", notes = "Will drafted.", postcode = "SW1A 1AA" })]);

    AnsiConsole.MarkupLine($"PATCH /engine/api/cases/bulk: {Records} updates; two of unknown cases, one that changes nothing.");
    Guid[] updated = [.. ids[..^2], new("4528a261-917d-4cbc-939e-7ea48cffca69"), new("53c3a84d-8eef-4015-8bc6-499f8eccd161")];
    var job = await RunJobAsync(http, HttpMethod.Patch, [.. updated.Select((id, i) => new { id, notes = i == 0 ? "Will drafted." : "Will signed." })]);

    AnsiConsole.MarkupLine($"\nGET /engine/api/api-jobs/{job["id"]}");
    Console.WriteLine(job.ToJsonString(new JsonSerializerOptions { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));
    if ((int)job["total_records"]! != 773 || (int)job["effected_records"]! != 770)
        throw new InvalidOperationException("The job should have 773 records, 770 of them effected.");

    ShowWhatToTryNext(server.Url, (string)job["id"]!);
    if (keep)
    {
        AnsiConsole.MarkupLine("\nThe server runs until you press Ctrl+C.");
        await Task.Delay(Timeout.Infinite, stop.Token).ContinueWith(_ => { });
    }

    return 0;
}
catch (Exception exception) when (exception is HttpRequestException or InvalidOperationException or OperationCanceledException)
{
    AnsiConsole.MarkupLine($"[red]The demo could not go on:[/] {Markup.Escape(exception.Message)}");
    return 1;
}
finally
{
    data.Delete(recursive: true);
}

void Build()
{
    var start = new ProcessStartInfo("dotnet", ["build", "src/ApiJobs.Server", "-c", "Release", "-v", "quiet", "--nologo"])
    {
        WorkingDirectory = root,
        RedirectStandardOutput = true,
    };
    using var build = Process.Start(start)!;
    var output = build.StandardOutput.ReadToEnd();
    build.WaitForExit();
    if (build.ExitCode != 0)
        throw new InvalidOperationException($"The server could not be built.\n{output}");
}

async Task<string> TakeTokenAsync(HttpClient http)
{
    using var answer = await http.PostAsJsonAsync(
        "/oauth/token", new { grant_type = "client_credentials", client_id = ClientId, client_secret = ClientSecret }, stop.Token);
    answer.EnsureSuccessStatusCode();
    return (string)(await answer.Content.ReadFromJsonAsync<JsonObject>(stop.Token))!["access_token"]!;
}

// Sends a bulk request and follows its job as any caller would: ask, wait as long as Retry-After says, ask again.
async Task<JsonObject> RunJobAsync(HttpClient http, HttpMethod method, object[] records)
{
    using var request = new HttpRequestMessage(method, "/engine/api/cases/bulk") { Content = JsonContent.Create(records) };
    using var accepted = await http.SendAsync(request, stop.Token);
    if (!accepted.IsSuccessStatusCode)
        throw new InvalidOperationException($"{(int)accepted.StatusCode}: {await accepted.Content.ReadAsStringAsync(stop.Token)}");
    var location = accepted.Headers.Location!;

    return await AnsiConsole.Progress().Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new ElapsedTimeColumn())
        .StartAsync(async progress =>
        {
            var bar = progress.AddTask("  applying", maxValue: records.Length);
            while (true)
            {
                using var answer = await http.GetAsync($"{location}?expand=counts", stop.Token);
                answer.EnsureSuccessStatusCode();
                var job = (await answer.Content.ReadFromJsonAsync<JsonObject>(stop.Token))!;
                bar.Value = records.Length - (long)job["counts"]!["unprocessed"]!;
                if (job["end_time"] is not null)
                    return (await http.GetFromJsonAsync<JsonObject>(location, stop.Token))!;
                // A demo is impatient: it asks a little sooner than Retry-After suggests.
                await Task.Delay((answer.Headers.RetryAfter?.Delta ?? TimeSpan.FromSeconds(1)) / 10, stop.Token);
            }
        });
}

void ShowWhatToTryNext(string url, string jobId)
{
    Console.WriteLine($$"""

        Try next{{(keep ? "" : " (run `dotnet run demo.cs -- --keep` to leave the server running)")}}:

          TOKEN=$(curl -s {{url}}/oauth/token -H 'Content-Type: application/json' \
            -d '{"grant_type":"client_credentials","client_id":"{{ClientId}}","client_secret":"{{ClientSecret}}"}' | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
          curl -s {{url}}/engine/api/api-jobs/{{jobId}} -H "Authorization: Bearer $TOKEN"
          curl -s '{{url}}/engine/api/api-jobs/{{jobId}}/records?outcome=failed,unchanged' -H "Authorization: Bearer $TOKEN"
          curl -s '{{url}}/engine/api/cases?ref=W-0042' -H "Authorization: Bearer $TOKEN"
          curl -s -X PATCH {{url}}/engine/api/cases/bulk -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' \
            -d '[{"id":"no-uuid"},{"colour":"red"}]'
        """);
}

static string SourcePath([System.Runtime.CompilerServices.CallerFilePath] string path = "") => path;

/// <summary>The real server as a process of its own.</summary>
internal sealed partial class ServerProcess : IAsyncDisposable
{
    private readonly Process _process;

    private ServerProcess(Process process, string url)
    {
        _process = process;
        Url = url;
    }

    public string Url { get; }

    public static async Task<ServerProcess> StartAsync(string program, string folder, params string[] settings)
    {
        var start = new ProcessStartInfo("dotnet",
            [program, "--urls", "http://127.0.0.1:0", $"--Storage:ConnectionString=Data Source={Path.Combine(folder, "apijobs.db")}", .. settings])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var process = Process.Start(start)!;
        var url = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var log = new System.Collections.Concurrent.ConcurrentQueue<string>();
        void Read(string? line)
        {
            if (line is null)
                return;
            log.Enqueue(line);
            if (Listening().Match(line) is { Success: true } match)
                url.TrySetResult(match.Groups[1].Value);
        }

        process.OutputDataReceived += (_, received) => Read(received.Data);
        process.ErrorDataReceived += (_, received) => Read(received.Data);
        process.EnableRaisingEvents = true;
        process.Exited += (_, _) => url.TrySetException(new InvalidOperationException($"The server ended at once.\n{string.Join('\n', log)}"));
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return new(process, await url.Task.WaitAsync(TimeSpan.FromSeconds(60)));
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            using var term = Process.Start("kill", ["-TERM", $"{_process.Id}"]);
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    [GeneratedRegex("Now listening on: (http://[0-9.:]+)")]
    private static partial Regex Listening();
}
