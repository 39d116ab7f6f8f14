using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using ApiJobs.Benchmarks.Databases;

namespace ApiJobs.Benchmarks.Peers;

/// <summary>A job queue of the Node.js world, run by a script in <c>bench/peers</c>.</summary>
internal static class NodePeer
{
    private static readonly string Folder = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(SourcePath())!, "../../peers"));

    /// <summary>Installs the peers as their lock file says, unless that is done.</summary>
    public static async Task InstallAsync(CancellationToken cancellationToken)
    {
        if (!Directory.Exists(Path.Combine(Folder, "node_modules", "pg-boss")))
            await RunAsync("npm", ["ci", "--ignore-scripts"], cancellationToken);
    }

    /// <summary>Queues and runs no-op jobs.</summary>
    /// <param name="script">The peer: <c>graphile-worker.mjs</c> or <c>pg-boss.mjs</c>.</param>
    /// <param name="database">A database of its own.</param>
    /// <param name="jobs">How many jobs.</param>
    /// <param name="clients">How many callers queue them at once.</param>
    /// <param name="jobsPerCall">How many jobs they queue with one call.</param>
    /// <param name="cancellationToken">Kills the script.</param>
    /// <returns>Jobs per second, from the first call to the end of the last job.</returns>
    public static async Task<double> MeasureAsync(
        string script, PostgreSqlDatabase database, int jobs, int clients, int jobsPerCall, CancellationToken cancellationToken)
    {
        string[] numbers = [.. new[] { jobs, clients, jobsPerCall }.Select(number => number.ToString(CultureInfo.InvariantCulture))];
        var output = await RunAsync("node", [script, database.Url, .. numbers], cancellationToken);
        using var result = JsonDocument.Parse(output.TrimEnd().Split('\n')[^1]);
        return jobs / result.RootElement.GetProperty("seconds").GetDouble();
    }

    private static async Task<string> RunAsync(string program, string[] arguments, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = Folder, RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Start(start);
        try
        {
            var errors = process.StandardError.ReadToEndAsync(cancellationToken);
            var output = await process.StandardOutput.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            return process.ExitCode == 0
                ? output
                : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} failed:\n{output}\n{await errors}");
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }

    private static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            throw new InvalidOperationException($"This row needs Node.js 20 or newer and npm (on Debian: apt-get install nodejs npm): {exception.Message}", exception);
        }
    }

    private static string SourcePath([CallerFilePath] string path = "") => path;
}
