using System.Diagnostics;
using ApiJobs.Server.Tests.Documents;

namespace ApiJobs.Server.Tests.OpenApi;

/// <summary>Programs of the npm registry, in the versions of <c>npm/package-lock.json</c>. They are installed when they are needed first, and when the versions have changed.</summary>
internal static class NpmTools
{
    private static readonly string Folder = Path.Combine(Document.Root(), "tests", "ApiJobs.Server.Tests", "npm");

    private static readonly Lazy<Task> Installed = new(InstallAsync);

    /// <summary>Runs a program.</summary>
    /// <returns>How it ended, and all that it wrote.</returns>
    public static async Task<(int ExitCode, string Output)> RunAsync(string program, params string[] arguments)
    {
        await Installed.Value;
        return await StartAsync(Path.Combine(Folder, "node_modules", ".bin", program), arguments);
    }

    private static async Task InstallAsync()
    {
        var (wanted, had) = (Path.Combine(Folder, "package-lock.json"), Path.Combine(Folder, "node_modules", "installed-lock.json"));
        if (File.Exists(had) && await File.ReadAllTextAsync(had) == await File.ReadAllTextAsync(wanted))
            return;
        // What packages would run while they are installed is not needed, nor is what they would like to have.
        var (exitCode, output) = await StartAsync("npm", "ci", "--omit=optional", "--ignore-scripts", "--no-audit", "--no-fund");
        exitCode.ShouldBe(0, $"The checks of the OpenAPI document need npm and its registry.\n{output}");
        File.Copy(wanted, had, overwrite: true);
    }

    private static async Task<(int ExitCode, string Output)> StartAsync(string program, params string[] arguments)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = Folder, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["NO_COLOR"] = "1";
        start.Environment["REDOCLY_TELEMETRY"] = "off";
        start.Environment["REDOCLY_SUPPRESS_UPDATE_NOTICE"] = "true";
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync(cancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        return (process.ExitCode, $"{output}\n{await errors}");
    }
}
