using ApiJobs.PostgreSql.Session;
using ApiJobs.Resources;
using ApiJobs.Storage;

namespace ApiJobs.PostgreSql.Resources;

/// <summary>Reads the declared resources.</summary>
internal sealed class PostgreSqlResourceStore(StoreSession session, PostgreSqlTables tables) : IResourceStore
{
    public async Task<ResourceRow?> FindRowAsync(Resource resource, Guid companyId, Guid id, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(resource);
        var table = tables[resource];
        var rows = await session.ReadAsync(
            companyId, TransactionKind.Searching, table.Load(companyId, [id], resource.AllFields), row => table.ReadRow(row, resource.AllFields),
            cancellationToken);
        return rows.SingleOrDefault();
    }

    public async Task<IReadOnlyList<ResourceRow>> ListRowsAsync(
        Resource resource, Guid companyId, ResourceQuery query, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(resource);
        ArgumentNullException.ThrowIfNull(query);
        var table = tables[resource];
        return table.List(companyId, query) is { } statement
            ? await session.ReadAsync(companyId, TransactionKind.Searching, statement, row => table.ReadRow(row, resource.AllFields), cancellationToken)
            : [];
    }
}
