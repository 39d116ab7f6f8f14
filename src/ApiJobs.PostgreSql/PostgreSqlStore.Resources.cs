using ApiJobs.Resources;
using ApiJobs.Storage;

namespace ApiJobs.PostgreSql;

public sealed partial class PostgreSqlStore
{
    /// <inheritdoc/>
    public Task<ResourceRow?> FindRowAsync(Resource resource, Guid companyId, Guid id, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(resource);
        return Faults.ServeAsync(Find());

        async Task<ResourceRow?> Find()
        {
            var table = _resources[resource];
            var rows = await ReadAsync(
                companyId, Sql.Afresh, table.Load(companyId, [id], resource.AllFields), row => table.ReadRow(row, resource.AllFields), cancellationToken);
            return rows.SingleOrDefault();
        }
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<ResourceRow>> ListRowsAsync(
        Resource resource, Guid companyId, ResourceQuery query, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(resource);
        ArgumentNullException.ThrowIfNull(query);
        return Faults.ServeAsync(List());

        async Task<IReadOnlyList<ResourceRow>> List()
        {
            var table = _resources[resource];
            return table.List(companyId, query) is { } statement
                ? await ReadAsync(companyId, Sql.Afresh, statement, row => table.ReadRow(row, resource.AllFields), cancellationToken)
                : [];
        }
    }
}
