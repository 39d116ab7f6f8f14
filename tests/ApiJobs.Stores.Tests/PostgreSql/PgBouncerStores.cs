using ApiJobs.Stores.Tests.Conformance;
using ApiJobs.Stores.Tests.Engine;

[assembly: AssemblyFixture(typeof(ApiJobs.Stores.Tests.PostgreSql.PgBouncerStores))]

namespace ApiJobs.Stores.Tests.PostgreSql;

/// <summary>PostgreSQL stores that reach their databases through PgBouncer in transaction mode, with fewer connections than they open themselves.</summary>
public sealed class PgBouncerStores : PostgreSqlStores
{
    private const int PoolSize = 4;

    private readonly Lock _lock = new();
    private Task<PgBouncer>? _pooler;

    public override async ValueTask DisposeAsync()
    {
        if (_pooler is not null)
            await (await _pooler).DisposeAsync();
        await base.DisposeAsync();
    }

    protected override async Task<string> RouteAsync(string connectionString)
    {
        Task<PgBouncer> pooler;
        lock (_lock)
            pooler = _pooler ??= PgBouncer.StartAsync(connectionString, PoolSize);
        return (await pooler).Route(connectionString);
    }

    protected override void TakeBack(string connectionString)
    {
        // Not used again: the pooler may not have noticed yet that the connections it keeps to this database were cut.
    }
}

public sealed class PgBouncerOutcomesOfRecords(PgBouncerStores stores) : OutcomesOfRecordsTests(stores);

public sealed class PgBouncerProcessing(PgBouncerStores stores) : ProcessingTests(stores);
