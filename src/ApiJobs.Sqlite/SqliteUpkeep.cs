using ApiJobs.Sqlite.Accepting;
using ApiJobs.Sqlite.Connections;
using ApiJobs.Sqlite.Keeping;
using ApiJobs.Sqlite.Lanes;
using ApiJobs.Sqlite.Resources;
using ApiJobs.Sqlite.Schema;
using ApiJobs.Storage;
using Microsoft.Extensions.Logging;

namespace ApiJobs.Sqlite;

/// <inheritdoc cref="IUpkeep"/>
internal sealed class SqliteUpkeep(SqliteDatabase database, LaneQueue lanes, ResourceTables tables, ILogger logger) : IUpkeep
{
    private const int UploadsPerSweep = 64;

    /// <inheritdoc/>
    /// <remarks>Makes the file and its folder if they are missing. A second call does nothing.</remarks>
    /// <exception cref="InvalidOperationException">Another process, or another store of this one, has the file open; or a field was declared anew with another type.</exception>
    public Task InitializeAsync(CancellationToken cancellationToken) => database.OpenAsync(
        session =>
        {
            SchemaUpgrade.Run(session, database.File, logger);
            session.Begin();
            tables.Make(session);
            UploadRows.ForgetTouches(session);
            MarkRows.Fill(session);
            session.Commit();
            database.Clock.Start(LaneRows.LatestTime(session));
            LaneRows.Load(session, lanes, database.Clock.Now);
        }, cancellationToken);

    public Task PingAsync(CancellationToken cancellationToken) => database.PingAsync(cancellationToken);

    /// <inheritdoc/>
    /// <remarks>Uploads of an earlier process are swept at once: nobody can go on with them, and they may be what fills the disk.</remarks>
    public async Task<int> SweepUploadsAsync(TimeSpan idleFor, CancellationToken cancellationToken)
    {
        var untouchedSince = database.Clock.Steady - idleFor;
        var removed = 0;
        IReadOnlyList<(Guid CompanyId, Guid JobId)> stale;
        do
        {
            stale = await database.ReadAsync(session => UploadRows.Stale(session, untouchedSince, UploadsPerSweep), cancellationToken);
            foreach (var (companyId, jobId) in stale)
                removed += await UploadSweeping.RemoveAsync(database, companyId, jobId, untouchedSince, cancellationToken) ? 1 : 0;
        }
        while (stale.Count == UploadsPerSweep);
        return removed;
    }

    public async Task<bool> SweepRehearsalsAsync(CancellationToken cancellationToken)
    {
        if (await database.ReadAsync(RehearsalSweeping.FindEnded, cancellationToken) is not var (companyId, jobId))
            return false;
        await database.WriteAsync(
            session =>
            {
                RehearsalSweeping.Remove(session, companyId, jobId);
                return true;
            },
            cancellationToken);
        return true;
    }

    public Task<IReadOnlyList<Guid>> ReadCompaniesAsync(Guid? after, int max, CancellationToken cancellationToken) =>
        database.ReadAsync(session => LaneRows.Companies(session, after, max), cancellationToken);

    /// <inheritdoc/>
    /// <remarks>The room becomes free inside the file, which does not get smaller.</remarks>
    public Task<bool> RemoveEndedAsync(Guid companyId, TimeSpan keptFor, EndedPart part, CancellationToken cancellationToken) =>
        database.WriteAsync(session => EndedJobRows.Remove(session, companyId, database.Clock.Steady - keptFor, part), cancellationToken);
}
