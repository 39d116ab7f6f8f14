using System.Data.Common;
using ApiJobs.Resources;
using ApiJobs.Sqlite.Connections;
using ApiJobs.Sqlite.Resources;
using ApiJobs.Storage;

namespace ApiJobs.Sqlite.Applying;

/// <summary>The effects' view of the writer's open transaction.</summary>
/// <remarks>SQLite works on the calling thread, so nothing here ever waits; a row is a prepared statement by primary key.</remarks>
internal sealed class SqliteChunkTransaction(SqliteSession session, ResourceTables tables, DateTimeOffset now) : IChunkTransaction
{
    public DbConnection Connection => session.Connection;

    public DbTransaction Transaction => session.Transaction!;

    public DateTimeOffset Now => now;

    public IRehearsalNotes RehearsalNotes { get; } = new RehearsalNoteRows(session);

    public async Task InSavepointAsync(Func<Task> work, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(work);
        cancellationToken.ThrowIfCancellationRequested();
        // Savepoints of one name nest: each statement means the innermost.
        session.Use("SAVEPOINT effects").Run();
        try
        {
            await work();
        }
        catch when (session.IsInTransaction)
        {
            session.Use("ROLLBACK TO effects").Run();
            session.Use("RELEASE effects").Run();
            throw;
        }

        session.Use("RELEASE effects").Run();
    }

    public Task<Dictionary<Guid, ResourceRow>> LoadRowsAsync(
        Resource resource, Guid companyId, IReadOnlyCollection<Guid> ids, ulong fields, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(ids);
        cancellationToken.ThrowIfCancellationRequested();
        var table = tables[resource];
        var rows = new Dictionary<Guid, ResourceRow>(ids.Count);
        var select = session.Use(table.SelectKey, fields, table.SelectSql);
        select.Bind(1, companyId);
        foreach (var id in ids)
        {
            using (select.Bind(2, id))
            {
                if (select.Read())
                    rows[id] = table.ReadRow(select, id, fields);
            }
        }

        return Task.FromResult(rows);
    }

    public Task<Dictionary<string, Guid>> FindByUniqueAsync(
        Resource resource, Guid companyId, Field field, IReadOnlyCollection<string> values, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(field);
        ArgumentNullException.ThrowIfNull(values);
        cancellationToken.ThrowIfCancellationRequested();
        var found = new Dictionary<string, Guid>(values.Count, StringComparer.Ordinal);
        var find = session.Use(tables[resource].FindByUniqueSql(field));
        find.Bind(1, companyId);
        foreach (var value in values)
        {
            using (find.Bind(2, value))
            {
                if (find.Read())
                    found[value] = find.Guid(0);
            }
        }

        return Task.FromResult(found);
    }

    public Task<HashSet<Guid>> UpdateDifferingAsync(
        Resource resource, Guid companyId, IReadOnlyList<RowWrite> rows, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(rows);
        cancellationToken.ThrowIfCancellationRequested();
        var table = tables[resource];
        // A row that is to give its value away differs, and is no longer what it is compared with below.
        var updated = ClearMovedValues(table, companyId, rows, onlyDiffering: true);
        SqliteStatement? statement = null;
        (ulong Fields, bool Differs) prepared = default;
        foreach (var write in rows)
        {
            var differs = updated.Contains(write.Row.Id);
            if (statement is null || prepared != (write.Fields, differs))
            {
                statement = differs
                    ? session.Use(table.UpdateKey, write.Fields, table.UpdateSql)
                    : session.Use(table.UpdateDifferingKey, write.Fields, table.UpdateDifferingSql);
                statement.Bind(1, companyId);
                prepared = (write.Fields, differs);
            }

            table.BindRow(statement, write.Row, isNew: false, write.Fields);
            if (statement.Run() == 1)
                updated.Add(write.Row.Id);
        }

        return Task.FromResult(updated);
    }

    public Task WriteRowsAsync(Resource resource, Guid companyId, IReadOnlyList<RowWrite> rows, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(rows);
        cancellationToken.ThrowIfCancellationRequested();
        var table = tables[resource];
        ClearMovedValues(table, companyId, rows, onlyDiffering: false);
        SqliteStatement? statement = null;
        (bool IsNew, ulong Fields) prepared = default;
        foreach (var write in rows)
        {
            var fields = write.IsNew ? resource.AllFields : write.Fields;
            // Most rows of a chunk set the same fields as the row before.
            if (statement is null || prepared != (write.IsNew, fields))
            {
                statement = write.IsNew
                    ? session.Use(table.InsertKey, fields, table.InsertSql)
                    : session.Use(table.UpdateKey, fields, table.UpdateSql);
                // Bindings outlive a reset.
                statement.Bind(1, companyId);
                prepared = (write.IsNew, fields);
            }

            table.BindRow(statement, write.Row, write.IsNew, fields);
            if (statement.Run() != 1)
                throw new InvalidOperationException($"Row {write.Row.Id} of '{resource.Name}' is to be updated, but does not exist.");
        }

        return Task.CompletedTask;
    }

    // A value may move from row to row in one group (each reference up by one). Whatever the order of the rows, no two of them
    // then hold it at the same time.
    private HashSet<Guid> ClearMovedValues(ResourceTable table, Guid companyId, IReadOnlyList<RowWrite> rows, bool onlyDiffering)
    {
        var cleared = new HashSet<Guid>();
        if (table.UniqueFields == 0 || rows.Count == 1)
            return cleared;
        foreach (var write in rows)
        {
            var moved = write.IsNew ? 0 : write.Fields & table.UniqueFields;
            if (moved == 0)
                continue;
            var clear = onlyDiffering
                ? session.Use(table.ClearDifferingKey, moved, table.ClearDifferingSql)
                : session.Use(table.ClearKey, moved, table.ClearSql);
            clear.Bind(1, companyId).Bind(2, write.Row.Id);
            if (onlyDiffering)
                table.BindValues(clear, 3, write.Row, moved);
            if (clear.Run() == 1)
                cleared.Add(write.Row.Id);
        }

        return cleared;
    }
}
