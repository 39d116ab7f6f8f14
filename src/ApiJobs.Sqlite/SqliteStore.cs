using ApiJobs.Resources;
using ApiJobs.Sqlite.Connections;
using ApiJobs.Sqlite.Lanes;
using ApiJobs.Sqlite.Resources;
using ApiJobs.Storage;
using Microsoft.Extensions.Logging;

namespace ApiJobs.Sqlite;

/// <summary>The embedded store: the jobs and the resources' rows in one SQLite file that one process owns.</summary>
/// <remarks>
/// <para>All writing goes through one connection, which commits together what arrives together; reading has a pool of its
/// own and never waits for it. An answer is given after the fsync of its commit.</para>
/// <para>Leases live in memory: after a crash no lane waits for a dead one.</para>
/// <para>The effects of <see cref="ILaneStore.ApplyAsync"/> run while nothing else can write, so they must not call the
/// writing methods of this store: they would wait for themselves.</para>
/// </remarks>
public sealed class SqliteStore : IAsyncDisposable
{
    private readonly SqliteDatabase _database;

    /// <summary>Makes the store; <see cref="IUpkeep.InitializeAsync"/> opens the file.</summary>
    /// <exception cref="ArgumentException">The options do not name a file, or a resource has the name of one of the store's own tables.</exception>
    public SqliteStore(SqliteStoreOptions options, ResourceCatalog catalog, TimeProvider time, ILogger<SqliteStore> logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(catalog);
        var tables = new ResourceTables(catalog);
        _database = new(new(options), options.MaxReaders, time, logger);
        var queue = new LaneQueue(_database.Clock, time);
        Jobs = new SqliteJobStore(_database, queue);
        Lanes = new SqliteLaneStore(_database, queue, tables);
        Upkeep = new SqliteUpkeep(_database, queue, tables, logger);
        Rows = new SqliteResourceStore(_database, tables);
    }

    /// <summary>Accepting and asking.</summary>
    public IJobStore Jobs { get; }

    /// <summary>What workers need.</summary>
    public ILaneStore Lanes { get; }

    /// <summary>What the process needs.</summary>
    public IUpkeep Upkeep { get; }

    /// <summary>The rows of the declared resources.</summary>
    public IResourceStore Rows { get; }

    /// <summary>Writes what has been asked for, checkpoints the file and gives up its lock.</summary>
    public ValueTask DisposeAsync() => _database.DisposeAsync();
}
