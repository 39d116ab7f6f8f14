namespace ApiJobs.Sqlite;

/// <summary>Makes the database file its owner's alone: it holds customers' records, and may hold keys.</summary>
internal static class PrivateFile
{
    private const UnixFileMode OwnersFile = UnixFileMode.UserRead | UnixFileMode.UserWrite, OwnersFolder = OwnersFile | UnixFileMode.UserExecute;

    /// <summary>Makes the folder (0700) and the empty file (0600) if they are missing; what is there stays as it is.</summary>
    /// <remarks>
    /// To be called before SQLite opens the file: it gives its journals the file's mode. A file that is there is not opened, because
    /// closing it again would take away the locks that SQLite holds on it in this process. On Windows, the folder's access rules are inherited.
    /// </remarks>
    internal static void MakeIfMissing(string path)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
            return;
        }

        Directory.CreateDirectory(folder, OwnersFolder);
        if (!File.Exists(path))
            Open(path, FileShare.ReadWrite | FileShare.Delete).Dispose();
    }

    /// <summary>Opens a file, for its owner alone if it has to be made.</summary>
    internal static FileStream Open(string path, FileShare share)
    {
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = share };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = OwnersFile;
        return new(path, options);
    }
}
