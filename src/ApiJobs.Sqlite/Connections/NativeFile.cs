using System.Runtime.InteropServices;
using SQLitePCL;

namespace ApiJobs.Sqlite.Connections;

/// <summary>What neither .NET nor ADO.NET says about an open database file.</summary>
internal static partial class NativeFile
{
    private const int HasMovedOperation = 20, Writable = 2, CloseOnExec = 0x80000, LockExclusive = 2, LockNonblocking = 4;

    /// <summary>Whether the name of an open database no longer leads to its file: it was moved, deleted or replaced.</summary>
    /// <remarks><c>SQLITE_FCNTL_HAS_MOVED</c>: one <c>stat</c>. A file system that cannot say counts as unmoved.</remarks>
    internal static bool HasMoved(sqlite3 database)
    {
        var moved = 0;
        return FileControl(database.DangerousGetHandle(), "main", HasMovedOperation, ref moved) == raw.SQLITE_OK && moved != 0;
    }

    /// <summary>Whether the process may write to a file: its rights, and whether the file system takes writes.</summary>
    internal static bool IsWritable(string path) => OperatingSystem.IsWindows() || Access(path, Writable) == 0;

    /// <summary>Locks a file itself, by whatever name it is reached, until the process ends or the lock is closed.</summary>
    /// <returns>What to close; null if another process, or another store of this one, holds the lock.</returns>
    /// <remarks>
    /// An attempt that fails leaves its descriptor open on purpose: closing any descriptor of a file takes away the locks that SQLite
    /// holds on it elsewhere in the same process.
    /// </remarks>
    internal static SafeHandle? TryLock(string path)
    {
        var descriptor = Open(path, CloseOnExec);
        if (descriptor < 0)
            throw new IOException($"'{path}' cannot be opened: {Marshal.GetLastPInvokeErrorMessage()}.");
        return Flock(descriptor, LockExclusive | LockNonblocking) == 0
            ? new Microsoft.Win32.SafeHandles.SafeFileHandle(descriptor, ownsHandle: true)
            : null;
    }

    [LibraryImport("e_sqlite3", EntryPoint = "sqlite3_file_control", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory | DllImportSearchPath.SafeDirectories)]
    private static partial int FileControl(nint database, string schema, int operation, ref int argument);

    [LibraryImport("libc", EntryPoint = "access", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Access(string path, int mode);

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Flock(int descriptor, int operation);
}
