using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace ApiJobs.Benchmarks.Measuring;

/// <summary>Where the figures were measured: they mean nothing without it.</summary>
internal sealed record Machine(
    string Processor, int Cores, double MemoryGib, string Kernel, string Runtime, string FileSystem, double FsyncMs, double LoadAtStart)
{
    private const int Syncs = 200, SyncBytes = 4096;

    /// <summary>Looks at the machine, and measures how long its disk takes to keep 4 KiB.</summary>
    public static Machine Look()
    {
        var folder = Path.GetTempPath();
        var drive = new DriveInfo(folder);
        return new(
            ValueOf("/proc/cpuinfo", "model name") ?? RuntimeInformation.ProcessArchitecture.ToString(),
            Environment.ProcessorCount,
            Math.Round(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (double)(1L << 30), 1),
            $"{RuntimeInformation.OSDescription}, kernel {Environment.OSVersion.Version}",
            RuntimeInformation.FrameworkDescription,
            drive.DriveFormat,
            MeasureFsyncMs(folder),
            LoadAverage());
    }

    /// <summary>The machine in one line.</summary>
    public string Describe() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Cores} × {Processor}, {MemoryGib} GiB, {Kernel}, {Runtime}, {FileSystem}, fsync of 4 KiB {FsyncMs:0.00} ms, load at start {LoadAtStart:0.0}");

    /// <summary>Why figures of this machine should not be believed; null if there is no reason.</summary>
    public string? Doubt() => this switch
    {
        { FileSystem: "tmpfs" or "ramfs" } => $"The temporary folder is on {FileSystem}: nothing is durable there. Set TMPDIR to a folder on a disk.",
        _ when LoadAtStart > Cores / 2.0 => "The machine is busy with something else: the ratios may be off.",
        _ => null,
    };

    private static double MeasureFsyncMs(string folder)
    {
        var path = Path.Combine(folder, $"apijobs-fsync-{Environment.ProcessId}");
        try
        {
            using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
            var bytes = new byte[SyncBytes];
            var times = new double[Syncs];
            for (var i = 0; i < Syncs; i++)
            {
                var began = Stopwatch.GetTimestamp();
                file.Write(bytes);
                file.Flush(flushToDisk: true);
                times[i] = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
            }

            return Math.Round(Statistics.Median(times), 3);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static string? ValueOf(string path, string name) => File.Exists(path)
        ? File.ReadLines(path).FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))?.Split(':', 2)[1].Trim()
        : null;

    private static double LoadAverage() => File.Exists("/proc/loadavg")
        ? double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture)
        : 0;
}
