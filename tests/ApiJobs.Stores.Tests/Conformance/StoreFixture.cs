using ApiJobs.Resources;
using ApiJobs.Storage;
using ApiJobs.Stores.Tests.Broken;
using Microsoft.Extensions.Time.Testing;

namespace ApiJobs.Stores.Tests.Conformance;

/// <summary>One kind of store, for the conformance suite: makes databases that nobody else uses.</summary>
public abstract class StoreFixture
{
    /// <summary>Makes a database without a schema.</summary>
    public abstract Task<StoreDatabase> CreateDatabaseAsync();

    /// <summary>What the suite gets to see of a store; a fixture of broken stores breaks it here.</summary>
    public virtual IWholeStore Wrap(IWholeStore store) => store;
}

/// <summary>A database of its own for one test, the clock that its stores go by, and what the suite does to it behind their backs.</summary>
public abstract class StoreDatabase(StoreFixture stores) : IAsyncDisposable
{
    private readonly List<StoreNode> _nodes = [];
    private readonly List<StoreNode> _crashed = [];

    /// <summary>Whether several nodes may open the database at the same time.</summary>
    public abstract bool ServesManyNodes { get; }

    /// <summary>The time of every node. It begins in the past, so that a store which goes by a real database's clock is never behind it.</summary>
    public FakeTimeProvider Clock { get; } = new(new DateTimeOffset(2024, 2, 21, 10, 21, 31, 123, 456, TimeSpan.Zero));

    /// <summary>Opens the database as one more node would, without touching its schema.</summary>
    public StoreNode Connect(ResourceCatalog catalog)
    {
        var node = ConnectNode(catalog);
        _nodes.Add(node);
        return node with { Store = stores.Wrap(node.Store) };
    }

    /// <summary>Opens the database as one more node would when it starts.</summary>
    public async Task<StoreNode> OpenAsync(ResourceCatalog catalog, CancellationToken cancellationToken)
    {
        var node = Connect(catalog);
        await node.Store.InitializeAsync(cancellationToken);
        return node;
    }

    /// <summary>Closes every node.</summary>
    public async Task CloseAsync()
    {
        foreach (var node in _nodes)
            await node.Closing.DisposeAsync();
        _nodes.Clear();
    }

    /// <summary>Ends every node as <c>kill -9</c> would: what a node holds back is lost, and what it promised must be there.</summary>
    public async Task CrashAsync()
    {
        await CutOffAsync();
        _crashed.AddRange(_nodes);
        _nodes.Clear();
    }

    /// <summary>Lets time pass, by the clock that the store judges by: leases, idle uploads, ill lanes, and how long ago a job ended.</summary>
    /// <remarks>A clock that cannot be moved makes what it has stamped older; so a job that was read before does not equal the same one read after.</remarks>
    public virtual Task PassTimeAsync(TimeSpan time)
    {
        Clock.Advance(time);
        return Task.CompletedTask;
    }

    /// <summary>Counts the rows of every table, so that a test can say "nothing was left" without knowing the schema.</summary>
    public abstract Task<IReadOnlyDictionary<string, long>> CountRowsAsync();

    /// <summary>Does to the schema's version what a newer program's upgrade would.</summary>
    public abstract Task PretendNewerSchemaAsync();

    /// <summary>Makes the database what it was before a script added columns to it.</summary>
    public async Task UndoScriptAsync(string script, params (string Table, string Column)[] columns)
    {
        foreach (var (table, column) in columns)
            await RunBesideAsync($"ALTER TABLE {table} DROP COLUMN {column}");
        await RunBesideAsync($"DELETE FROM schema_versions WHERE ScriptName = '{script}'");
    }

    /// <summary>Makes a table that knows no company, for effects written by an operation's own SQL.</summary>
    public abstract Task CreateTableAsync(string name, string column);

    /// <summary>Runs a statement behind the stores' backs.</summary>
    public abstract Task RunBesideAsync(string sql);

    /// <summary>Makes the database itself refuse the transaction for now; throws what its driver throws.</summary>
    public abstract Task ThrowTransientFaultAsync(IChunkTransaction transaction, CancellationToken cancellationToken);

    /// <summary>Closes every node and removes the database.</summary>
    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        foreach (var node in _crashed)
            await node.Closing.DisposeAsync();
        await RemoveAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>Makes a store on this database.</summary>
    protected abstract StoreNode ConnectNode(ResourceCatalog catalog);

    /// <summary>Sees to it that no node which is open now reaches the database any more.</summary>
    protected abstract Task CutOffAsync();

    /// <summary>Removes the database; every node is closed.</summary>
    protected abstract Task RemoveAsync();
}

/// <summary>One node's view of a database.</summary>
/// <param name="Store">The parts of its store that accept and work.</param>
/// <param name="Rows">The part that reads resources.</param>
/// <param name="Closing">Closes all of it.</param>
public sealed record StoreNode(IWholeStore Store, IResourceStore Rows, IAsyncDisposable Closing);
