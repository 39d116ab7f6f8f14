using ApiJobs.Sqlite.Connections;

namespace ApiJobs.Sqlite.Accepting;

/// <summary>Removes an upload bit by bit, so that nobody who writes waits for long.</summary>
internal static class UploadSweeping
{
    /// <returns>Whether this call removed it; not if it is sealed, unknown, touched after <paramref name="untouchedSince"/>, or removed by another.</returns>
    internal static async Task<bool> RemoveAsync(
        SqliteDatabase database, Guid companyId, Guid jobId, DateTimeOffset untouchedSince, CancellationToken cancellationToken)
    {
        if (!await database.WriteAsync(session => UploadRows.BeginRemoval(session, companyId, jobId, untouchedSince), cancellationToken))
            return false;
        while (true)
        {
            var removal = await database.WriteAsync(session => UploadRows.Remove(session, companyId, jobId), cancellationToken);
            if (removal != Removal.Unfinished)
                return removal == Removal.Done;
        }
    }
}
