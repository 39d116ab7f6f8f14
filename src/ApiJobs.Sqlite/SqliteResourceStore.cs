using ApiJobs.Resources;
using ApiJobs.Sqlite.Connections;
using ApiJobs.Sqlite.Resources;
using ApiJobs.Storage;

namespace ApiJobs.Sqlite;

/// <inheritdoc cref="IResourceStore"/>
internal sealed class SqliteResourceStore(SqliteDatabase database, ResourceTables tables) : IResourceStore
{
    public Task<ResourceRow?> FindRowAsync(Resource resource, Guid companyId, Guid id, CancellationToken cancellationToken)
    {
        var table = tables[resource];
        return database.ReadAsync(session =>
        {
            using var select = session.Use(table.SelectKey, resource.AllFields, table.SelectSql);
            return select.Bind(1, companyId).Bind(2, id).Read() ? table.ReadRow(select, id, resource.AllFields) : null;
        }, cancellationToken);
    }

    public Task<IReadOnlyList<ResourceRow>> ListRowsAsync(
        Resource resource, Guid companyId, ResourceQuery query, CancellationToken cancellationToken)
    {
        var table = tables[resource];
        return database.ReadAsync(session => table.List(session, companyId, query), cancellationToken);
    }
}
