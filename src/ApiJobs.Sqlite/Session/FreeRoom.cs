using System.Globalization;
using ApiJobs.Storage;

namespace ApiJobs.Sqlite.Session;

/// <summary>The room that a database can still take, and the part of it that requests are not let into.</summary>
/// <remarks>
/// Applying, sweeping and removing write too, before they free anything. If requests could fill the disk to its end, nothing could be
/// cleaned up any more, and no restart would help.
/// </remarks>
internal sealed class FreeRoom(string folder, long reservedBytes)
{
    // The log grows on the disk also while the file itself has free pages, but not by much before it begins anew.
    private const int LogShare = 4;

    // On a small disk the reserve must not be most of it.
    private const int MaxShareOfDisk = 10;

    /// <summary>Refuses while no more room is left than the reserve.</summary>
    /// <exception cref="StoreUnavailableException">There is too little.</exception>
    internal void ThrowIfShort(PreparedConnection connection)
    {
        if (reservedBytes == 0)
            return;
        var disk = new DriveInfo(folder);
        var (free, reserved) = (disk.AvailableFreeSpace, Math.Min(reservedBytes, disk.TotalSize / MaxShareOfDisk));
        // What was removed is free inside the file, which does not get smaller.
        if (free >= reserved || (free >= reserved / LogShare && free + FreeInFile(connection) >= reserved))
            return;
        throw new StoreUnavailableException(string.Create(CultureInfo.InvariantCulture,
            $"The disk of '{folder}' has {free >> 20:N0} MiB left, and {reserved >> 20:N0} MiB are kept for working and cleaning up. Nothing is accepted until there is more room: free some, or move the database to a larger disk."));
    }

    private static long FreeInFile(PreparedConnection connection)
    {
        using var free = connection.Use("SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size");
        return free.Read() ? free.Int64(0) : 0;
    }
}
