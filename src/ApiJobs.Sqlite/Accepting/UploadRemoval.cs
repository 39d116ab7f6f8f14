using ApiJobs.Sqlite.Session;

namespace ApiJobs.Sqlite.Accepting;

/// <summary>Removes unsealed uploads, each in many short transactions.</summary>
internal static class UploadRemoval
{
    private const int UploadsPerSweep = 64;

    /// <summary>Removes all uploads that nothing was appended to since a time.</summary>
    /// <returns>How many were removed.</returns>
    internal static async Task<int> SweepAsync(SqliteSession session, DateTimeOffset untouchedSince, CancellationToken cancellationToken)
    {
        var removed = 0;
        List<(Guid CompanyId, Guid JobId)> stale;
        do
        {
            stale = await session.ReadAsync(connection => Uploads.Stale(connection, untouchedSince, UploadsPerSweep), cancellationToken);
            foreach (var (companyId, jobId) in stale)
                removed += await RemoveAsync(session, companyId, jobId, untouchedSince, cancellationToken) ? 1 : 0;
        }
        while (stale.Count == UploadsPerSweep);
        return removed;
    }

    /// <summary>Removes an upload, unless something was appended to it after a time.</summary>
    internal static async Task<bool> RemoveAsync(
        SqliteSession session, Guid companyId, Guid jobId, DateTimeOffset untouchedSince, CancellationToken cancellationToken)
    {
        if (!await session.WriteAsync(connection => Uploads.BeginRemoval(connection, companyId, jobId, untouchedSince), cancellationToken))
            return false;
        while (true)
        {
            var removal = await session.WriteAsync(connection => Uploads.Remove(connection, companyId, jobId), cancellationToken);
            if (removal != Removal.Unfinished)
                return removal == Removal.Done;
        }
    }
}
