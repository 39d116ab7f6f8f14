using ApiJobs.PostgreSql.Accepting;
using ApiJobs.PostgreSql.Keeping;
using ApiJobs.PostgreSql.Lanes;
using ApiJobs.PostgreSql.Resources;
using ApiJobs.PostgreSql.Session;
using ApiJobs.Resources;
using ApiJobs.Storage;
using Microsoft.Extensions.Logging;

namespace ApiJobs.PostgreSql;

/// <summary>The shared store: any number of nodes over one PostgreSQL 15 or newer.</summary>
/// <remarks>
/// <para>Every call is a short transaction or two at READ COMMITTED and keeps no state in its session, so a pooler in
/// transaction mode may stand between. The database's clock alone judges leases, uploads and what is old, and gives all times.</para>
/// <para>The store serves from construction on; <see cref="IUpkeep.InitializeAsync"/> need only have run once on the database.</para>
/// </remarks>
public sealed class PostgreSqlStore : IAsyncDisposable
{
    private readonly ConnectionPool _connections;
    private readonly AcceptQueue _accepting;
    private readonly WorkAnnouncer _announcer;
    private readonly WorkListener _listener;
    private bool _disposed;

    /// <summary>Makes the store. No connection is opened yet.</summary>
    /// <exception cref="ArgumentException">The connection string is missing or malformed, or a resource has the name of one of the store's own tables.</exception>
    public PostgreSqlStore(
        PostgreSqlStoreOptions options, ResourceCatalog resources, TimeProvider time, ILogger<PostgreSqlStore> logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(resources);
        ArgumentNullException.ThrowIfNull(time);
        ArgumentNullException.ThrowIfNull(logger);
        ArgumentException.ThrowIfNullOrWhiteSpace(options.ConnectionString, nameof(options));

        _connections = new(options.ConnectionString, options.PrepareStatements);
        var scope = new CompanyScope(options.CompanyIsolation);
        var session = new StoreSession(_connections, scope);
        var tables = new PostgreSqlTables(resources);
        var signal = new WorkSignal(time);
        _announcer = new(_connections, signal, options.NotifyInterval, logger);
        _listener = new(ConnectionPool.Listening(options.ListenConnectionString ?? options.ConnectionString), signal, logger);
        _accepting = new(new(session, _announcer));
        var uploads = new UploadRemoval(session);

        Jobs = new PostgreSqlJobStore(_accepting, uploads, new(session), new(session), new(session), new(session));
        Lanes = new PostgreSqlLaneStore(
            new(session, signal, time), new(session), new(session, tables, options.IdleTransactionTimeout), signal,
            options.Listen ? _listener : null);
        Upkeep = new PostgreSqlUpkeep(
            session, new(_connections, resources, new(_connections, scope, resources, logger), logger), uploads, new(session), new(session));
        Rows = new PostgreSqlResourceStore(session, tables);
    }

    /// <summary>The part that the endpoints need: accepting, asking and ending.</summary>
    public IJobStore Jobs { get; }

    /// <summary>The part that workers need.</summary>
    public ILaneStore Lanes { get; }

    /// <summary>The part that the process needs.</summary>
    public IUpkeep Upkeep { get; }

    /// <summary>The part that readers of resources need.</summary>
    public IResourceStore Rows { get; }

    /// <summary>Finishes what is being accepted, then closes all connections. Again, it does nothing.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, true))
            return;
        await _accepting.DisposeAsync();
        await _listener.DisposeAsync();
        await _announcer.DisposeAsync();
        await _connections.DisposeAsync();
    }
}
