using ApiJobs.Sqlite.Accepting;
using ApiJobs.Sqlite.Lanes;
using ApiJobs.Sqlite.Resources;
using ApiJobs.Sqlite.Schema;
using ApiJobs.Sqlite.Session;
using ApiJobs.Storage;
using Microsoft.Extensions.Logging;

namespace ApiJobs.Sqlite.Keeping;

/// <summary>Schema, health, sweeping and retention of one SQLite file.</summary>
internal sealed class SqliteUpkeep(SqliteSession session, SqliteTables tables, LaneQueue lanes, ILogger logger) : IUpkeep
{
    /// <inheritdoc/>
    /// <remarks>Makes the file and its folder if they are missing, for their owner alone. A second call does nothing.</remarks>
    /// <exception cref="InvalidOperationException">Another process, or another store of this one, has the file open; the file has a second name; or a field was declared anew with another type.</exception>
    public Task InitializeAsync(CancellationToken cancellationToken) => session.OpenAsync((connection, file) =>
    {
        SqliteSchema.Upgrade(connection, file, logger);
        connection.Begin();
        tables.Make(connection);
        Uploads.ForgetTouches(connection);
        connection.Commit();
        session.Clock.Start(LaneRows.LatestTime(connection));
        LaneRows.Load(connection, lanes, session.Clock.Now());
    }, cancellationToken);

    /// <inheritdoc/>
    public Task PingAsync(CancellationToken cancellationToken) => session.PingAsync(cancellationToken);

    /// <inheritdoc/>
    /// <remarks>Uploads of an earlier process are swept at once: nobody can go on with them.</remarks>
    public Task<int> SweepUploadsAsync(TimeSpan idleFor, CancellationToken cancellationToken) =>
        UploadRemoval.SweepAsync(session, session.Clock.Steady() - idleFor, cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<Guid>> ReadCompaniesAsync(Guid? after, int max, CancellationToken cancellationToken) =>
        session.ReadAsync(connection => EndedJobRemoval.Companies(connection, after, max), cancellationToken);

    /// <inheritdoc/>
    /// <remarks>The room becomes free inside the file, which does not get smaller.</remarks>
    public Task<bool> RemoveEndedAsync(Guid companyId, TimeSpan keptFor, EndedPart part, CancellationToken cancellationToken) =>
        session.WriteAsync(
            connection => EndedJobRemoval.Remove(connection, companyId, session.Clock.Steady() - keptFor, part), cancellationToken);
}
