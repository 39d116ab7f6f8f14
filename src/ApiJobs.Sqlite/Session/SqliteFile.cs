using ApiJobs.Storage;
using Microsoft.Data.Sqlite;

namespace ApiJobs.Sqlite.Session;

/// <summary>The database file: how it is opened, and what makes this process its only user.</summary>
internal sealed class SqliteFile : IDisposable
{
    private const UnixFileMode OwnersFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnersFolder = OwnersFile | UnixFileMode.UserExecute;

    private readonly SqliteConnectionStringBuilder _connection;
    private FileStream? _lock;

    internal SqliteFile(SqliteStoreOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.LockTimeout, TimeSpan.FromSeconds(1));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.LockTimeout, TimeSpan.FromHours(1));
        ArgumentOutOfRangeException.ThrowIfNegative(options.ReservedBytes);
        _connection = new SqliteConnectionStringBuilder(options.ConnectionString);
        if (_connection.Mode == SqliteOpenMode.Memory || _connection.DataSource is "" or ":memory:" || _connection.DataSource.StartsWith("file:", StringComparison.Ordinal))
            throw new ArgumentException($"'{options.ConnectionString}' does not name a file. Use 'Data Source=<path>'.", nameof(options));

        Path = WithoutLinks(_connection.DataSource);
        Room = new FreeRoom(System.IO.Path.GetDirectoryName(Path)!, options.ReservedBytes);
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

    internal FreeRoom Room { get; }

    internal TimeSpan LockTimeout { get; }

    internal int WriterCacheBytes { get; }

    internal string ConnectionString(SqliteOpenMode mode) =>
        new SqliteConnectionStringBuilder(_connection.ConnectionString) { Mode = mode }.ToString();

    /// <summary>Makes the folder and the file if they are missing, for their owner alone, and takes the lock. The operating system gives it up when the process dies, however it dies.</summary>
    /// <exception cref="InvalidOperationException">Another process, or another store of this one, has the file.</exception>
    internal void Lock()
    {
        MakeFolder(System.IO.Path.GetDirectoryName(Path)!);
        var lockPath = Path + ".lock";
        try
        {
            // Never deleted: a third process could lock a new file of that name while a second waits on the old one.
            _lock = Open(lockPath, FileMode.OpenOrCreate);
        }
        catch (IOException exception) when (exception is not (DirectoryNotFoundException or FileNotFoundException or PathTooLongException))
        {
            throw new InvalidOperationException(
                $"'{Path}' is in use: another process holds '{lockPath}'. One process owns a SQLite file. "
                + "Stop the other one, or set Storage:Provider to PostgreSql, which any number of nodes can share.", exception);
        }

        ThrowIfShared();
        // An empty file is a database without tables. SQLite would make it readable for everybody; its log and index follow it.
        if (!File.Exists(Path))
            Open(Path, FileMode.CreateNew).Dispose();
    }

    /// <summary>Refuses a file with a second name, which neither the lock nor SQLite's log, beside the first, would be known by.</summary>
    /// <exception cref="InvalidOperationException">The file has hard links.</exception>
    private void ThrowIfShared()
    {
        var names = NativeFile.CountNames(Path);
        if (names > 1)
            throw new InvalidOperationException(
                $"'{Path}' is one of {names} names of the same file (hard links). Opened by another of them, it would be damaged: SQLite keeps what was committed last beside one name. "
                + "Remove the other names; 'find <folder> -samefile <file>' lists them. Back up with SQLite's own '.backup', not with links.");
    }

    /// <summary>Refuses to go on when the open file is no longer what its path leads to: what is written would be gone with the process.</summary>
    /// <exception cref="StoreUnavailableException">The file was moved, replaced or deleted.</exception>
    internal void ThrowIfMoved(PreparedConnection connection)
    {
        if (NativeFile.HasMoved(connection.Connection.Handle!))
            throw new StoreUnavailableException(
                $"'{Path}' was moved, replaced or deleted while it was open. Nothing is accepted or done: put the file back, or restart the server to open what is there now.");
    }

    public void Dispose() => _lock?.Dispose();

    private static void MakeFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(folder);
        else
            Directory.CreateDirectory(folder, OwnersFolder);
    }

    private static FileStream Open(string path, FileMode mode)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.ReadWrite, Share = FileShare.None };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = OwnersFile;
        return new FileStream(path, options);
    }

    // Links among the folders need no resolving: a lock file in one is in the folder that it leads to.
    private static string WithoutLinks(string path)
    {
        var file = new FileInfo(path);
        return file.LinkTarget is null ? file.FullName : file.ResolveLinkTarget(returnFinalTarget: true)!.FullName;
    }
}
