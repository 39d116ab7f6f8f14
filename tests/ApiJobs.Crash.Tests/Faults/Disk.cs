using System.Globalization;
using ApiJobs.Crash.Tests.Sites;

namespace ApiJobs.Crash.Tests.Faults;

/// <summary>A small disk of a test's own, mounted in a temporary folder. Only root can mount.</summary>
internal sealed class Disk : IAsyncDisposable
{
    private const int Megabytes = 96, CopyTries = 50;

    private readonly string _folder;

    private Disk(string folder) => _folder = folder;

    /// <summary>Where the disk is mounted.</summary>
    public string Root => Path.Combine(_folder, "mounted");

    private string Image => Path.Combine(_folder, "image");

    private string Copy => Path.Combine(_folder, "copy");

    /// <summary>Skips the test, and says so, where it may not mount.</summary>
    public static void SkipUnlessMountable() =>
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "This test fills and cuts off a disk of its own, and only root may mount one. Run the tests as root to include it.");

    /// <summary>Makes an ext4 file system in an image file.</summary>
    public static async Task<Disk> CreateExt4Async()
    {
        var disk = New();
        await using (var image = File.Create(disk.Image))
            image.SetLength(Megabytes << 20);
        await Shell.RunAsync("mkfs.ext4", "-q", "-F", disk.Image);
        await disk.MountImageAsync();
        return disk;
    }

    /// <summary>Makes a disk in memory that is full after so many bytes.</summary>
    public static async Task<Disk> CreateTmpfsAsync(long bytes)
    {
        var disk = New();
        await Shell.RunAsync("mount", "-t", "tmpfs", "-o", string.Create(CultureInfo.InvariantCulture, $"size={bytes}"), "apijobs-crash", disk.Root);
        return disk;
    }

    /// <summary>Makes room on a disk in memory.</summary>
    public Task GrowTmpfsAsync(long bytes) =>
        Shell.RunAsync("mount", "-o", string.Create(CultureInfo.InvariantCulture, $"remount,size={bytes}"), Root);

    /// <summary>Copies what would be left if the power failed now: what has reached the image, and nothing that the kernel only remembers.</summary>
    /// <remarks>
    /// The processes that write must be stopped. The kernel may still write back by itself, and a copy made meanwhile would
    /// be of no moment at all: then it is made again.
    /// </remarks>
    public async Task CopyAsync()
    {
        var device = Path.GetFileName(await Shell.RunAsync("findmnt", "-n", "-o", "SOURCE", Root));
        for (var tries = 1; ; tries++)
        {
            var before = await WritesToAsync(device);
            File.Copy(Image, Copy, overwrite: true);
            if (await WritesToAsync(device) == before)
                return;
            if (tries == CopyTries)
                throw new InvalidOperationException($"{Image} was written to during each of {tries} copies.");
        }
    }

    /// <summary>Puts the copy in the place of the disk. ext4 replays its journal, as after a power cut. The processes that used the disk must be gone.</summary>
    public async Task ReplaceByCopyAsync()
    {
        await Shell.RunAsync("umount", Root);
        File.Move(Copy, Image, overwrite: true);
        await MountImageAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Shell.TryRunAsync("umount", [Root]);
        Directory.Delete(_folder, recursive: true);
    }

    private static Disk New()
    {
        var disk = new Disk(Directory.CreateTempSubdirectory("apijobs-disk-").FullName);
        Directory.CreateDirectory(disk.Root);
        return disk;
    }

    private Task<string> MountImageAsync() => Shell.RunAsync("mount", "-o", "loop", Image, Root);

    // Writes, sectors written, and requests on their way: columns 5, 7 and 9 of the block layer's statistics.
    private static async Task<string> WritesToAsync(string device)
    {
        var columns = (await File.ReadAllTextAsync($"/sys/block/{device}/stat")).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return $"{columns[4]} {columns[6]} {columns[8]}";
    }
}
