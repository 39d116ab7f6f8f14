using System.Data.Common;

namespace ApiJobs.Benchmarks.Databases;

/// <summary>The stores that are measured, both at full durability.</summary>
internal enum Store
{
    Sqlite,
    PostgreSql,
}

/// <summary>A database that the engine's server, a raw loop or a peer works on.</summary>
internal abstract class Database : IAsyncDisposable
{
    public abstract Store Store { get; }

    /// <summary>What the server is configured with to use it.</summary>
    public abstract IReadOnlyDictionary<string, string> ServerSettings { get; }

    /// <summary>How it was reached and what keeps it durable, for the report.</summary>
    public abstract Task<string> DescribeAsync(CancellationToken cancellationToken);

    /// <summary>Opens a connection.</summary>
    public abstract Task<DbConnection> OpenAsync(CancellationToken cancellationToken);

    /// <summary>Makes an identical database beside this one, which nobody may be using meanwhile.</summary>
    public abstract Task<Database> CopyAsync(CancellationToken cancellationToken);

    /// <summary>Does the cleaning up that the last round left to do, so that the next one does not pay for it.</summary>
    public abstract Task SettleAsync(CancellationToken cancellationToken);

    /// <summary>The columns of a table.</summary>
    public abstract Task<IReadOnlyList<string>> ColumnsAsync(string table, CancellationToken cancellationToken);

    /// <summary>Runs SQL without parameters.</summary>
    public async Task ExecuteAsync(string sql, CancellationToken cancellationToken)
    {
        await using var connection = await OpenAsync(cancellationToken);
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.CommandTimeout = 0;
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Runs SQL that gives one value.</summary>
    public async Task<T> QueryAsync<T>(string sql, CancellationToken cancellationToken)
    {
        await using var connection = await OpenAsync(cancellationToken);
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.CommandTimeout = 0;
        return (T)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    public abstract ValueTask DisposeAsync();
}
