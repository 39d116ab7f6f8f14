using ApiJobs.PostgreSql.Schema;
using ApiJobs.Resources;

namespace ApiJobs.PostgreSql.Resources;

/// <summary>The tables of the declared resources.</summary>
internal sealed class PostgreSqlTables
{
    private readonly Dictionary<string, PostgreSqlTable> _byName = new(StringComparer.Ordinal);

    internal PostgreSqlTables(ResourceCatalog resources)
    {
        foreach (var resource in resources.All)
        {
            // Where the search path puts resources beside the store's own tables, their names must differ.
            if (OwnTables.IsReserved(resource.Name))
                throw new ArgumentException($"A resource cannot be named '{resource.Name}': the store keeps a table of that name. Rename the resource.", nameof(resources));
            _byName.Add(resource.Name, new(resource));
        }
    }

    internal PostgreSqlTable this[Resource resource] =>
        _byName.TryGetValue(resource.Name, out var table)
            ? table
            : throw new ArgumentException($"Resource '{resource.Name}' is not in the store's catalog.", nameof(resource));
}
