using ApiJobs.Resources;
using ApiJobs.Sqlite.Session;
using ApiJobs.Storage;

namespace ApiJobs.Sqlite.Resources;

/// <summary>Reads the rows of declared resources from one SQLite file.</summary>
internal sealed class SqliteResourceStore(SqliteSession session, SqliteTables tables) : IResourceStore
{
    /// <inheritdoc/>
    public Task<ResourceRow?> FindRowAsync(Resource resource, Guid companyId, Guid id, CancellationToken cancellationToken)
    {
        var table = tables[resource];
        return session.ReadAsync(connection =>
        {
            using var select = connection.Use(table.SelectKey, resource.AllFields, table.SelectSql);
            return select.Bind(1, companyId).Bind(2, id).Read() ? table.ReadRow(select, id, resource.AllFields) : null;
        }, cancellationToken);
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<ResourceRow>> ListRowsAsync(
        Resource resource, Guid companyId, ResourceQuery query, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        var table = tables[resource];
        return session.ReadAsync(connection => table.List(connection, companyId, query), cancellationToken);
    }
}
