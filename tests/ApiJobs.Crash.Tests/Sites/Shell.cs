using System.Diagnostics;

namespace ApiJobs.Crash.Tests.Sites;

/// <summary>Runs the system's programs.</summary>
internal static class Shell
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    /// <summary>Runs a program that must succeed.</summary>
    /// <returns>What it wrote.</returns>
    /// <exception cref="InvalidOperationException">It failed; the message has what it wrote.</exception>
    public static async Task<string> RunAsync(string program, params string[] arguments)
    {
        var (exitCode, output) = await TryRunAsync(program, arguments);
        return exitCode == 0 ? output.Trim() : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} failed: {output}");
    }

    /// <summary>Runs a program.</summary>
    public static async Task<(int ExitCode, string Output)> TryRunAsync(
        string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment = null)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment ?? new Dictionary<string, string?>())
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(Limit, TimeProvider.System);
        var output = process.StandardOutput.ReadToEndAsync(limit.Token);
        var errors = process.StandardError.ReadToEndAsync(limit.Token);
        await process.WaitForExitAsync(limit.Token);
        return (process.ExitCode, await output + await errors);
    }

    /// <summary>Finds a file on the path or in folders given as <c>/usr/lib/postgresql/*/bin</c>; the last in order wins.</summary>
    /// <exception cref="InvalidOperationException">It is not installed.</exception>
    public static string FindProgram(string name, string pattern)
    {
        var (root, below) = (pattern[..pattern.IndexOf('*', StringComparison.Ordinal)], pattern[(pattern.IndexOf('*', StringComparison.Ordinal) + 2)..]);
        var found = Directory.Exists(root) ? Directory.GetDirectories(root).Order(StringComparer.Ordinal).Select(folder => Path.Combine(folder, below, name)) : [];
        var onPath = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(folder => Path.Combine(folder, name));
        return found.Reverse().Concat(onPath).FirstOrDefault(File.Exists)
            ?? throw new InvalidOperationException($"This test needs {name}, which is in {pattern} on Debian. Run check.cs, which installs it.");
    }
}
