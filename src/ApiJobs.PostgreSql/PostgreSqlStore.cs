using ApiJobs.PostgreSql.Accepting;
using ApiJobs.PostgreSql.Isolation;
using ApiJobs.PostgreSql.Lanes;
using ApiJobs.PostgreSql.Resources;
using ApiJobs.PostgreSql.Schema;
using ApiJobs.Resources;
using ApiJobs.Storage;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace ApiJobs.PostgreSql;

/// <summary>The shared store: any number of nodes over one PostgreSQL 15 or newer.</summary>
/// <remarks>
/// <para>Every call is one short transaction at READ COMMITTED and keeps no state in its session, so a pooler in
/// transaction mode may stand between. Leases are judged by the database's clock alone; the times of jobs and rows come
/// from the node's <see cref="TimeProvider"/>, because they only inform.</para>
/// <para>The store serves from construction on; <see cref="InitializeAsync"/> need only have run once on the database.</para>
/// </remarks>
public sealed partial class PostgreSqlStore : IJobStore, IResourceStore, IAsyncDisposable
{
    private readonly PostgreSqlStoreOptions _options;
    private readonly TimeProvider _time;
    private readonly ConnectionPool _connections;
    private readonly CompanyScope _scope;
    private readonly ResourceTables _resources;
    private readonly SchemaUpgrade _schema;
    private readonly AcceptQueue _accepting;
    private readonly WorkSignal _workSignal;
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

        _options = options;
        _time = time;
        _connections = new(options.ConnectionString, options.PrepareStatements);
        _scope = new(options.CompanyIsolation);
        _resources = new(resources);
        _schema = new(_connections, resources, new(_scope, resources, logger), logger);
        _workSignal = new(time);
        _announcer = new(_connections, _workSignal, options.NotifyInterval, logger);
        _listener = new(ConnectionPool.Listening(options.ListenConnectionString ?? options.ConnectionString), _workSignal, logger);
        _accepting = new(_connections, _scope, _announcer);
    }

    /// <inheritdoc/>
    public Task InitializeAsync(CancellationToken cancellationToken) => Faults.ServeAsync(_schema.RunAsync(cancellationToken));

    /// <inheritdoc/>
    public Task PingAsync(CancellationToken cancellationToken)
    {
        return Faults.ServeAsync(Ping());

        async Task Ping()
        {
            await using var connection = await _connections.OpenAsync(cancellationToken);
            await using var command = new NpgsqlCommand("SELECT 1", connection);
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    /// <inheritdoc/>
    public StoreFault Classify(Exception exception) => Faults.Classify(exception);

    /// <summary>Finishes what is being accepted, then closes all connections. Again, it does nothing: a container disposes it once for each service it is.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, true))
            return;
        await _accepting.DisposeAsync();
        await _listener.DisposeAsync();
        await _announcer.DisposeAsync();
        await _connections.DisposeAsync();
    }

    /// <summary>Runs a select of the store's own tables, of one company.</summary>
    private Task<List<T>> ReadAsync<T>(
        Guid companyId, NpgsqlBatchCommand statement, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken) =>
        ReadAsync(companyId, Sql.ByKey, statement, read, cancellationToken);

    /// <summary>Runs a select as one transaction, confined to a company unless it is for all of them.</summary>
    private async Task<List<T>> ReadAsync<T>(
        Guid? companyId, string planning, NpgsqlBatchCommand statement, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken)
    {
        await using var connection = await _connections.OpenAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(Sql.Statement(planning));
        if (companyId is { } one)
            _scope.Enter(batch, one);
        batch.BatchCommands.Add(statement);
        if (planning == Sql.ByKey)
            await _connections.PrepareAsync(batch, cancellationToken);
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        for (var skipped = 1; skipped < batch.BatchCommands.Count; skipped++)
            await reader.NextResultAsync(cancellationToken);
        var rows = new List<T>();
        while (await reader.ReadAsync(cancellationToken))
            rows.Add(read(reader));
        return rows;
    }

    /// <summary>Runs statements of one company on the store's own tables, as one transaction.</summary>
    /// <returns>How many rows they wrote.</returns>
    private async Task<int> ExecuteAsync(Guid companyId, CancellationToken cancellationToken, params NpgsqlBatchCommand[] statements)
    {
        await using var connection = await _connections.OpenAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(Sql.Statement(Sql.ByKey));
        _scope.Enter(batch, companyId);
        foreach (var statement in statements)
            batch.BatchCommands.Add(statement);
        await _connections.PrepareAsync(batch, cancellationToken);
        return await batch.ExecuteNonQueryAsync(cancellationToken);
    }
}
