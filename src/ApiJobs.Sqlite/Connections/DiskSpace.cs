using ApiJobs.Storage;

namespace ApiJobs.Sqlite.Connections;

/// <summary>Keeps a reserve of the disk free of uploads, so that what was accepted can be applied, and what nobody needs removed.</summary>
/// <remarks>Only intake asks. Pages that are free inside the file count: a file does not get smaller when uploads are removed.</remarks>
internal sealed class DiskSpace(SqliteFile file, SqliteSession session)
{
    // A page goes to the log first and to the file later.
    private const int CopiesOfAPage = 2;

    // What writing needs to be worth beginning with.
    private const long LeastBytes = 64 * 1024;

    private long _takenBytes;

    // Asked once a transaction: a group seals some tens of small jobs in milliseconds, and asking the disk costs as much as a statement.
    private (long FreeBytes, long ReservedBytes)? _disk;

    /// <summary>Begins to count anew: what was taken before is on the disk.</summary>
    internal void Forget()
    {
        _takenBytes = 0;
        _disk = null;
    }

    /// <summary>Takes room for a payload, beside what was taken in this transaction.</summary>
    /// <exception cref="StoreUnavailableException">There is none that is not reserved.</exception>
    internal void Take(int bytes)
    {
        _takenBytes += (long)bytes * CopiesOfAPage;
        Check(_takenBytes);
    }

    /// <exception cref="StoreUnavailableException">There is no room for a payload, however small.</exception>
    internal void ThrowIfNone() => Check(LeastBytes);

    private void Check(long bytes)
    {
        var (free, reserve) = _disk ??= Ask();
        // Nearly always; then nobody need ask the file.
        if (free - bytes >= reserve || (free >= bytes && free + FreeBytesInFile() - bytes >= reserve))
            return;
        throw new StoreUnavailableException(
            $"The disk of '{file.Path}' has {free:N0} bytes free, of which {reserve:N0} are reserved for applying and removing what is there. "
            + "Free some room, or let Retention remove what is old.")
        {
            IsDiskLow = true,
        };
    }

    private (long FreeBytes, long ReservedBytes) Ask()
    {
        var disk = new DriveInfo(file.Folder);
        return (disk.AvailableFreeSpace, Math.Min(file.ReservedBytes, disk.TotalSize / 16));
    }

    private long FreeBytesInFile()
    {
        using var free = session.Use("SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size");
        return free.Read() ? free.Int64(0) : 0;
    }
}
