using System.Data;
using System.Data.Common;
using ApiJobs.PostgreSql.Resources;
using ApiJobs.Resources;
using ApiJobs.Storage;
using Npgsql;

namespace ApiJobs.PostgreSql.Applying;

/// <summary>The transaction that applies chunks, as operations see it.</summary>
internal sealed class PostgreSqlChunkTransaction(
    NpgsqlConnection connection, NpgsqlTransaction transaction, PostgreSqlTables tables, DateTimeOffset now) : IChunkTransaction
{
    private int _savepoints;

    public DbConnection Connection => connection;

    public DbTransaction Transaction => transaction;

    public DateTimeOffset Now => now;

    public IRehearsalNotes RehearsalNotes { get; } = new RehearsalNotes(connection, transaction);

    public async Task InSavepointAsync(Func<Task> work, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(work);
        var name = $"part_{++_savepoints}";
        await transaction.SaveAsync(name, cancellationToken);
        try
        {
            await work();
        }
        catch when (connection.FullState == ConnectionState.Open)
        {
            // Not cancellable: the transaction would be left failed, and the caller means to go on with it.
            await transaction.RollbackAsync(name, CancellationToken.None);
            await transaction.ReleaseAsync(name, CancellationToken.None);
            throw;
        }

        await transaction.ReleaseAsync(name, cancellationToken);
    }

    public async Task<Dictionary<Guid, ResourceRow>> LoadRowsAsync(
        Resource resource, Guid companyId, IReadOnlyCollection<Guid> ids, ulong fields, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(ids);
        var table = tables[resource];
        var rows = new Dictionary<Guid, ResourceRow>(ids.Count);
        if (ids.Count == 0)
            return rows;
        await using var batch = Batch(table.Load(companyId, ids, fields));
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var row = table.ReadRow(reader, fields);
            rows.Add(row.Id, row);
        }

        return rows;
    }

    public async Task<Dictionary<string, Guid>> FindByUniqueAsync(
        Resource resource, Guid companyId, Field field, IReadOnlyCollection<string> values, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(values);
        var ids = new Dictionary<string, Guid>(values.Count, StringComparer.Ordinal);
        if (values.Count == 0)
            return ids;
        await using var batch = Batch(tables[resource].FindByUnique(companyId, field, values));
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            ids[reader.GetString(0)] = reader.GetGuid(1);
        return ids;
    }

    public async Task<HashSet<Guid>> UpdateDifferingAsync(
        Resource resource, Guid companyId, IReadOnlyList<RowWrite> rows, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(rows);
        var updated = new HashSet<Guid>(rows.Count);
        if (rows.Count == 0)
            return updated;
        await using var batch = Batch([.. tables[resource].UpdateDiffering(companyId, rows)]);
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        do
        {
            // Only the updates give ids; what surrounds them gives texts.
            while (reader.GetFieldType(0) == typeof(Guid) && await reader.ReadAsync(cancellationToken))
                updated.Add(reader.GetGuid(0));
        }
        while (await reader.NextResultAsync(cancellationToken));
        return updated;
    }

    public async Task WriteRowsAsync(
        Resource resource, Guid companyId, IReadOnlyList<RowWrite> rows, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(rows);
        if (rows.Count == 0)
            return;
        await using var batch = Batch([.. tables[resource].Write(companyId, rows)]);
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    private NpgsqlBatch Batch(params ReadOnlySpan<NpgsqlBatchCommand> statements)
    {
        var batch = new NpgsqlBatch(connection, transaction);
        foreach (var statement in statements)
            batch.BatchCommands.Add(statement);
        return batch;
    }
}
