using System.Buffers.Binary;
using System.Runtime.InteropServices;
using SQLitePCL;

namespace ApiJobs.Sqlite.Session;

/// <summary>What the operating system knows of a file and .NET does not tell.</summary>
internal static partial class NativeFile
{
    // The one native library these calls are declared for; an application may bring another SQLite.
    private const string Sqlite = "e_sqlite3";

    private const int FileControlHasMoved = 20;

    // Of Linux's struct statx, which is laid out alike everywhere.
    private const int StatxBytes = 256, LinkCountOffset = 16, WantLinkCount = 4, CurrentFolder = -100;

    /// <summary>Whether the path of an open database leads to another file by now, or to none.</summary>
    internal static bool HasMoved(sqlite3 database) =>
        raw.GetNativeLibraryName() == Sqlite
        && FileControl(database.DangerousGetHandle(), "main", FileControlHasMoved, out var hasMoved) == raw.SQLITE_OK && hasMoved != 0;

    /// <summary>How many names a file has, hard links included; 1 where the system does not tell.</summary>
    internal static uint CountNames(string path)
    {
        if (!OperatingSystem.IsLinux())
            return 1;
        var status = new byte[StatxBytes];
        try
        {
            return Statx(CurrentFolder, path, 0, WantLinkCount, status) == 0
                ? BinaryPrimitives.ReadUInt32LittleEndian(status.AsSpan(LinkCountOffset))
                : 1;
        }
        catch (EntryPointNotFoundException)
        {
            // A C library from before 2018.
            return 1;
        }
    }

    [LibraryImport(Sqlite, EntryPoint = "sqlite3_file_control", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory | DllImportSearchPath.SafeDirectories)]
    private static partial int FileControl(nint database, string name, int operation, out int result);

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Statx(int folder, string path, int flags, uint mask, [Out] byte[] status);
}
