using System.Runtime.InteropServices;
using ApiJobs.Storage;
using Microsoft.Data.Sqlite;

namespace ApiJobs.Sqlite.Connections;

/// <summary>The database file: how it is opened, and the lock that makes this process its only user.</summary>
internal sealed class SqliteFile : IDisposable
{
    private readonly SqliteConnectionStringBuilder _connection;
    private FileStream? _lock;
    private SafeHandle? _inodeLock;

    internal SqliteFile(SqliteStoreOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.LockTimeout, TimeSpan.FromSeconds(1));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.LockTimeout, TimeSpan.FromHours(1));
        _connection = new SqliteConnectionStringBuilder(options.ConnectionString);
        if (_connection.Mode == SqliteOpenMode.Memory || _connection.DataSource is "" or ":memory:" || _connection.DataSource.StartsWith("file:", StringComparison.Ordinal))
            throw new ArgumentException($"'{options.ConnectionString}' does not name a file. Use 'Data Source=<path>'.", nameof(options));

        Path = WithoutLinks(_connection.DataSource);
        ReservedBytes = options.ReservedBytes;
        LockTimeout = options.LockTimeout;
        WriterCacheBytes = options.WriterCacheBytes;
        _connection.DataSource = Path;
        // The store keeps its own connections; a pool underneath would hold the file open after they are closed.
        _connection.Pooling = false;
        // References are checked by the engine, which can say which record broke one.
        _connection.ForeignKeys = false;
        // ADO.NET adds its own retries to SQLite's busy timeout until this time is over; they must not add up.
        _connection.DefaultTimeout = (int)LockTimeout.TotalSeconds;
    }

    /// <summary>The file itself, not a symbolic link to it.</summary>
    internal string Path { get; }

    internal string Folder => System.IO.Path.GetDirectoryName(Path)!;

    internal long ReservedBytes { get; }

    internal TimeSpan LockTimeout { get; }

    internal int WriterCacheBytes { get; }

    internal string ConnectionString(SqliteOpenMode mode) =>
        new SqliteConnectionStringBuilder(_connection.ConnectionString) { Mode = mode }.ToString();

    /// <summary>Makes the folder and the file if they are missing and takes the lock. The operating system gives it up when the process dies, however it dies.</summary>
    /// <remarks>The lock follows the file: by another name, through a symbolic or a hard link, it is the same.</remarks>
    /// <exception cref="InvalidOperationException">Another process, or another store of this one, has the file.</exception>
    internal void Lock()
    {
        PrivateFile.MakeIfMissing(Path);
        var lockPath = Path + ".lock";
        try
        {
            // Never deleted: a third process could lock a new file of that name while a second waits on the old one.
            _lock = PrivateFile.Open(lockPath, FileShare.None);
        }
        catch (IOException exception) when (exception is not (DirectoryNotFoundException or FileNotFoundException or PathTooLongException))
        {
            throw InUse($"another process holds '{lockPath}'", exception);
        }

        // A hard link has a name, and so a lock file, of its own; what it names is the same.
        if (!OperatingSystem.IsWindows())
            _inodeLock = NativeFile.TryLock(Path) ?? throw InUse("another process holds it by another name");
    }

    private InvalidOperationException InUse(string how, Exception? cause = null) => new(
        $"'{Path}' is in use: {how}. One process owns a SQLite file. "
        + "Stop the other one, or set Storage:Provider to PostgreSql, which any number of nodes can share.", cause);

    /// <exception cref="StoreUnavailableException">The file cannot be written to.</exception>
    internal void ThrowIfNotWritable()
    {
        if (!NativeFile.IsWritable(Path))
            throw new StoreUnavailableException($"'{Path}' cannot be written to: it is gone, read-only, or on a disk that is.");
    }

    // Links among the folders need no resolving: a lock file in one is in the folder that it leads to.
    private static string WithoutLinks(string path)
    {
        var named = new FileInfo(path);
        return named.LinkTarget is null ? named.FullName : named.ResolveLinkTarget(returnFinalTarget: true)!.FullName;
    }

    public void Dispose()
    {
        _inodeLock?.Dispose();
        _lock?.Dispose();
    }
}
