using ApiJobs.Resources;
using ApiJobs.Sqlite.Accepting;
using ApiJobs.Sqlite.Applying;
using ApiJobs.Sqlite.Keeping;
using ApiJobs.Sqlite.Lanes;
using ApiJobs.Sqlite.Resources;
using ApiJobs.Sqlite.Session;
using ApiJobs.Storage;
using Microsoft.Extensions.Logging;

namespace ApiJobs.Sqlite;

/// <summary>The embedded store: the jobs and the resources' rows in one SQLite file that one process owns.</summary>
/// <remarks>
/// <para>It is put together here from the parts of the contract, over one session with the file. All writing goes through one
/// connection, which commits together what arrives together; reading has a pool of its own and never waits for it. An answer is
/// given after the fsync of its commit.</para>
/// <para>Leases live in memory: after a crash no lane waits for a dead one.</para>
/// <para>The effects of <see cref="ILaneStore.ApplyAsync"/> run while nothing else can write, so they must not call the writing
/// methods of this store: they would wait for themselves.</para>
/// </remarks>
public sealed class SqliteStore : IAsyncDisposable
{
    private readonly SqliteSession _session;

    /// <summary>Makes the store; <see cref="IUpkeep.InitializeAsync"/> opens the file.</summary>
    /// <exception cref="ArgumentException">The options do not name a file, or a resource has the name of one of the store's own tables.</exception>
    public SqliteStore(SqliteStoreOptions options, ResourceCatalog catalog, TimeProvider time, ILogger<SqliteStore> logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(catalog);
        _session = new SqliteSession(options, time, logger);
        var tables = new SqliteTables(catalog);
        var lanes = new LaneQueue(time);
        Jobs = new SqliteJobStore(_session, lanes);
        Lanes = new SqliteLaneStore(_session, lanes, new CursorMove(tables, _session.Clock));
        Upkeep = new SqliteUpkeep(_session, tables, lanes, logger);
        Rows = new SqliteResourceStore(_session, tables);
    }

    /// <summary>Accepting requests as jobs, and asking what became of them.</summary>
    public IJobStore Jobs { get; }

    /// <summary>Serving lanes.</summary>
    public ILaneStore Lanes { get; }

    /// <summary>Schema, health and cleaning up.</summary>
    public IUpkeep Upkeep { get; }

    /// <summary>Reading the declared resources.</summary>
    public IResourceStore Rows { get; }

    /// <summary>Writes what has been asked for, checkpoints the file and gives up its lock.</summary>
    public ValueTask DisposeAsync() => _session.DisposeAsync();
}
