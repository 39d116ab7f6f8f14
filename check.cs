#!/usr/bin/env dotnet
#:property RestorePackagesWithLockFile=false
#:property PublishAot=false
// The one command that says whether the repository is ready: `dotnet run check.cs`.
// It checks the format, builds with warnings as errors and runs every test. Its last line is `N passed, N failed`.
// Options:  --fix             mend the format instead of checking it
//           --filter NAME     only the test projects whose name contains NAME
using System.Diagnostics;
using System.Text.RegularExpressions;

var root = Path.GetDirectoryName(Path.GetFullPath(SourcePath()))!;
var fix = args.Contains("--fix");
var filter = args.SkipWhile(arg => arg != "--filter").Skip(1).FirstOrDefault() ?? "";
var total = Stopwatch.StartNew();

InstallWhatTestsNeed();
Step("Restore, in locked mode", "dotnet", "restore", "ApiJobs.slnx", "--locked-mode");
Step("Format", "dotnet", "format", "ApiJobs.slnx", "--no-restore", "--severity", "warn", fix ? "--verbosity=minimal" : "--verify-no-changes");
Step("Build", "dotnet", "build", "ApiJobs.slnx", "--no-restore", "-c", "Release", "-warnaserror");

int passed = 0, failed = 0, skipped = 0;
foreach (var project in Directory.GetDirectories(Path.Combine(root, "tests")).Select(Path.GetFileName).Order().Where(name => name!.Contains(filter)))
    RunTests(project!);

Console.WriteLine($"\nChecked in {total.Elapsed:mm\\:ss}.");
Console.WriteLine(skipped == 0 ? $"{passed} passed, {failed} failed" : $"{passed} passed, {failed} failed, {skipped} skipped");
return failed == 0 && passed > 0 ? 0 : 1;

void RunTests(string project)
{
    var (exitCode, output) = Run(project, "dotnet", "run", "--project", Path.Combine("tests", project), "-c", "Release", "--no-build");
    var summary = Regex.Match(output, @"Total: (\d+), Errors: (\d+), Failed: (\d+), Skipped: (\d+)");
    if (!summary.Success)
    {
        // A run that died before its summary is one failure, never silence.
        failed++;
        return;
    }

    int Count(int group) => int.Parse(summary.Groups[group].ValueSpan);
    var broken = Count(2) + Count(3);
    passed += Count(1) - broken - Count(4);
    failed += exitCode != 0 && broken == 0 ? 1 : broken;
    skipped += Count(4);
}

// On Debian and its kin the tests' own servers and tools are installed here; elsewhere the tests say what they miss.
void InstallWhatTestsNeed()
{
    (string Package, Func<bool> IsInstalled)[] needs =
    [
        ("postgresql", () => Directory.Exists("/usr/lib/postgresql") || OnPath("initdb")),
        ("pgbouncer", () => OnPath("pgbouncer")),
        ("faketime", () => OnPath("faketime")),
        ("nodejs", () => OnPath("node")),
        ("npm", () => OnPath("npm")),
        ("chromium", () => OnPath("chromium")),
    ];
    string[] missing = [.. needs.Where(need => !need.IsInstalled()).Select(need => need.Package)];
    if (missing.Length == 0 || !OnPath("apt-get"))
        return;
    Step("Package lists", "apt-get", "update", "-qq");
    Step($"Install {string.Join(", ", missing)}", "apt-get", ["install", "-y", "-qq", "--no-install-recommends", .. missing]);
}

bool OnPath(string program) =>
    (Environment.GetEnvironmentVariable("PATH") + ":/usr/sbin").Split(':').Any(folder => File.Exists(Path.Combine(folder, program)));

void Step(string name, string program, params string[] arguments)
{
    if (Run(name, program, arguments).ExitCode == 0)
        return;
    Console.WriteLine($"\n{name} failed.\n0 passed, 1 failed");
    Environment.Exit(1);
}

(int ExitCode, string Output) Run(string name, string program, params string[] arguments)
{
    Console.WriteLine($"\n== {name}: {program} {string.Join(' ', arguments)}");
    var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = root, RedirectStandardOutput = true };
    start.Environment["DEBIAN_FRONTEND"] = "noninteractive";
    start.Environment["DOTNET_NOLOGO"] = "1";
    start.Environment["NO_COLOR"] = "1";
    using var process = Process.Start(start)!;
    var output = new List<string>();
    while (process.StandardOutput.ReadLine() is { } line)
    {
        output.Add(line);
        Console.WriteLine(line);
    }

    process.WaitForExit();
    return (process.ExitCode, string.Join('\n', output));
}

static string SourcePath([System.Runtime.CompilerServices.CallerFilePath] string path = "") => path;
