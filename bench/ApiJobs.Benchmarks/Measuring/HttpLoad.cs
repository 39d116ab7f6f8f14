using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace ApiJobs.Benchmarks.Measuring;

/// <summary>Sends the same GET request over many connections for some seconds: with wrk, or without it by itself.</summary>
internal abstract partial class HttpLoad(int connections, int seconds)
{
    /// <summary>What sends the requests, for the report.</summary>
    public abstract string Description { get; }

    protected int Connections => connections;

    protected int Seconds => seconds;

    /// <summary>Takes wrk if it is installed, or can be (on Debian, as root); else a loop of this program's own.</summary>
    public static async Task<HttpLoad> FindAsync(int connections, int seconds, Bench bench)
    {
        if (!await RunsAsync("wrk", "--version"))
            await RunsAsync("apt-get", "install", "-y", "-qq", "--no-install-recommends", "wrk");
        if (await RunsAsync("wrk", "--version"))
            return new Wrk(connections, seconds, bench.Stopping);
        bench.Log("wrk is not installed; requests are sent by a loop over HttpClient.");
        return new Loop(connections, seconds, bench.Stopping);
    }

    /// <summary>Sends requests.</summary>
    /// <returns>Requests per second; every answer was 200.</returns>
    public abstract Task<double> RunAsync(Uri url, string token);

    private static async Task<bool> RunsAsync(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            _ = process.StandardError.ReadToEndAsync();
            await process.StandardOutput.ReadToEndAsync();
            await process.WaitForExitAsync();
            // wrk prints its version and ends with 1.
            return process.ExitCode is 0 or 1;
        }
        catch (Win32Exception)
        {
            return false;
        }
    }

    private sealed partial class Wrk(int connections, int seconds, CancellationToken cancellationToken) : HttpLoad(connections, seconds)
    {
        public override string Description => $"wrk, 1 thread, {Connections} connections, {Seconds} s";

        public override async Task<double> RunAsync(Uri url, string token)
        {
            var start = new ProcessStartInfo("wrk", ["-t1", $"-c{Connections}", $"-d{Seconds}s", "-H", $"Authorization: Bearer {token}", url.ToString()])
            {
                RedirectStandardOutput = true,
            };
            using var process = Process.Start(start)!;
            var output = await process.StandardOutput.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            if (process.ExitCode != 0 || output.Contains("Non-2xx", StringComparison.Ordinal) || RequestsPerSecond().Match(output) is not { Success: true } match)
                throw new InvalidOperationException($"wrk did not measure {url}:\n{output}");
            return double.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
        }

        [GeneratedRegex(@"Requests/sec:\s+([0-9.]+)")]
        private static partial Regex RequestsPerSecond();
    }

    private sealed class Loop(int connections, int seconds, CancellationToken cancellationToken) : HttpLoad(connections, seconds)
    {
        public override string Description => $"HttpClient, {Connections} connections, {Seconds} s";

        public override async Task<double> RunAsync(Uri url, string token)
        {
            using var http = new HttpClient();
            http.DefaultRequestHeaders.Authorization = new("Bearer", token);
            var count = 0L;
            var began = Stopwatch.GetTimestamp();
            await Task.WhenAll(Enumerable.Range(0, Connections).Select(_ => Task.Run(SendAsync, cancellationToken)));
            return count / Stopwatch.GetElapsedTime(began).TotalSeconds;

            async Task SendAsync()
            {
                while (Stopwatch.GetElapsedTime(began).TotalSeconds < Seconds)
                {
                    await http.GetByteArrayAsync(url, cancellationToken);
                    Interlocked.Increment(ref count);
                }
            }
        }
    }
}
