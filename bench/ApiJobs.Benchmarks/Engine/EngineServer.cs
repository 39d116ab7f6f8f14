using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using ApiJobs.Benchmarks.Data;
using ApiJobs.Benchmarks.Databases;
using ApiJobs.Server.Tests;

namespace ApiJobs.Benchmarks.Engine;

/// <summary>The real server in a process of its own over a database, and the companies that call it.</summary>
internal sealed class EngineServer : IAsyncDisposable
{
    private const string AllScopes = "jobs:read jobs:write cases:read cases:write customers:read customers:write";
    private const int SeedRecordsPerRequest = 50_000;

    private readonly ServerProcess _process;
    private readonly HttpClient _http;
    private readonly Action<string> _log;

    private EngineServer(ServerProcess process, HttpClient http, IReadOnlyList<Company> companies, Action<string> log)
    {
        (_process, _http, _log) = (process, http, log);
        Companies = companies;
    }

    /// <summary>The callers, each a company with a token of its own.</summary>
    public IReadOnlyList<Company> Companies { get; }

    public Uri Url => _process.Url;

    private static CaseGenerator Cases => new(Bench.Seed);

    // Built in the same configuration as this program, into the folder beside its own.
    private static string ServerDll
    {
        get
        {
            var own = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
            return Path.Combine(own.Parent!.Parent!.FullName, "ApiJobs.Server", own.Name, "ApiJobs.Server.dll");
        }
    }

    /// <summary>Starts the server.</summary>
    /// <param name="bench">The run it belongs to.</param>
    /// <param name="database">Its database; kept when it stops.</param>
    /// <param name="companies">How many companies may call it.</param>
    /// <param name="settings">Settings beside those of the store, such as <c>Worker:Slots</c>.</param>
    public static async Task<EngineServer> StartAsync(
        Bench bench, Database database, int companies = 1, params IEnumerable<(string Name, string Value)> settings)
    {
        var all = new Dictionary<string, string>(database.ServerSettings)
        {
            // Longer than any row takes.
            ["OAuth:TokenLifetime"] = "1.00:00:00",
            // A client of the load sends what a thousand others would.
            ["Limits:RequestsPerSecondPerClient"] = "0",
            ["Limits:RequestsPerSecondPerCompany"] = "0",
            ["Limits:OpenUploadsPerCompany"] = "0",
        };
        for (var index = 0; index < companies; index++)
        {
            var client = string.Create(CultureInfo.InvariantCulture, $"Bootstrap:Clients:{index}");
            all[$"{client}:ClientId"] = ClientId(index);
            all[$"{client}:ClientSecret"] = ClientSecret(index);
            all[$"{client}:CompanyId"] = Cases.CompanyId(index).ToString();
            all[$"{client}:Scopes"] = AllScopes;
        }

        foreach (var (name, value) in settings)
            all[name] = value;

        var process = await ServerProcess.StartAsync(all, Path.GetTempPath(), ServerDll, bench.Stopping);
        var http = new HttpClient(new SocketsHttpHandler { PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan })
        {
            BaseAddress = process.Url,
            Timeout = Timeout.InfiniteTimeSpan,
        };
        var callers = new List<Company>();
        for (var index = 0; index < companies; index++)
            callers.Add(new(http, Cases.CompanyId(index), await TakeTokenAsync(http, index, bench.Stopping)));
        return new(process, http, callers, bench.Log);
    }

    /// <summary>Creates cases 0 to <paramref name="records"/> of a company, through the API.</summary>
    public static async Task SeedAsync(Company company, int records, CancellationToken cancellationToken, int firstRecord = 0)
    {
        for (var first = 0; first < records; first += SeedRecordsPerRequest)
        {
            var (begin, count) = (firstRecord + first, Math.Min(SeedRecordsPerRequest, records - first));
            var body = BulkBody.Make(count, (writer, record) => Cases.WriteCase(writer, begin + record));
            var job = await company.AcceptAsync(HttpMethod.Post, Company.Json(body), cancellationToken);
            await company.WaitUntilEffectedAsync(job, count, cancellationToken);
        }
    }

    /// <summary>The most memory the process has held at once (VmHWM).</summary>
    public long PeakMemoryBytes()
    {
        var line = File.ReadLines($"/proc/{_process.Id}/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
    }

    /// <summary>Stops the server as an operator would, so that its database may be copied.</summary>
    public async Task StopAsync()
    {
        var exitCode = await _process.StopAsync();
        // What it acknowledged is in the database however it ended; but it should not have.
        if (exitCode != 0)
            _log($"careful: the server ended with {exitCode}: {_process.Output.Split('\n').FirstOrDefault(line => line.StartsWith("Unhandled", StringComparison.Ordinal))}");
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _process.DisposeAsync();
    }

    private static string ClientId(int index) => $"bench-{index}";

    private static string ClientSecret(int index) => $"bench-secret-of-32-characters-or-more-{index:000}";

    private static async Task<string> TakeTokenAsync(HttpClient http, int index, CancellationToken cancellationToken)
    {
        using var answer = await http.PostAsJsonAsync(
            "/oauth/token", new { grant_type = "client_credentials", client_id = ClientId(index), client_secret = ClientSecret(index) }, cancellationToken);
        answer.EnsureSuccessStatusCode();
        return (string)(await answer.Content.ReadFromJsonAsync<JsonObject>(cancellationToken))!["access_token"]!;
    }
}
