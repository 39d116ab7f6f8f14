using System.Data.Common;
using ApiJobs.Crash.Tests.Nodes;

namespace ApiJobs.Crash.Tests.Sites;

/// <summary>Where a round's nodes keep their data, and the ways around the store that the checker looks at it.</summary>
internal abstract class Site : IAsyncDisposable
{
    /// <summary>The configuration of the store, for a node.</summary>
    public abstract IReadOnlyDictionary<string, string> StorageSettings { get; }

    public abstract bool IsPostgreSql { get; }

    /// <summary>The SQL that gives a UUID column as text.</summary>
    public abstract string UuidText(string column);

    /// <summary>The SQL of a UUID.</summary>
    public abstract string UuidLiteral(Guid id);

    /// <summary>Opens a connection of the checker's own.</summary>
    public abstract Task<DbConnection> OpenAsync(bool writes, CancellationToken cancellationToken);

    /// <summary>Asks the database's own check for damage.</summary>
    /// <returns>What it found; empty when the database is sound.</returns>
    public abstract Task<string> FindDamageAsync(CancellationToken cancellationToken);

    /// <summary>Makes the applied log. A node has made the schema before.</summary>
    public async Task CreateAppliedLogAsync(CancellationToken cancellationToken)
    {
        await using var connection = await OpenAsync(writes: true, cancellationToken);
        await AppliedLog.CreateAsync(connection, IsPostgreSql, cancellationToken);
    }

    public abstract ValueTask DisposeAsync();
}
