using System.Collections.Frozen;
using ApiJobs.Resources;
using ApiJobs.Sqlite.Connections;
using ApiJobs.Sqlite.Schema;

namespace ApiJobs.Sqlite.Resources;

/// <summary>The tables of the declared resources.</summary>
internal sealed class ResourceTables
{
    private readonly FrozenDictionary<string, ResourceTable> _byName;

    internal ResourceTables(ResourceCatalog catalog)
    {
        foreach (var resource in catalog.All)
        {
            if (StoreTables.Has(resource.Name))
                throw new ArgumentException($"A resource cannot be called '{resource.Name}': the SQLite store has a table of that name.", nameof(catalog));
        }

        _byName = catalog.All.ToFrozenDictionary(resource => resource.Name, resource => new ResourceTable(resource), StringComparer.Ordinal);
    }

    /// <summary>Finds a resource's table.</summary>
    /// <exception cref="ArgumentException">The resource is not declared in the store's catalog.</exception>
    internal ResourceTable this[Resource resource]
    {
        get
        {
            ArgumentNullException.ThrowIfNull(resource);
            return _byName.GetValueOrDefault(resource.Name)
                ?? throw new ArgumentException($"Resource '{resource.Name}' is not in the store's catalog.", nameof(resource));
        }
    }

    /// <summary>Makes missing tables, columns and indexes. Nothing is ever dropped: an older program's data may be in it.</summary>
    internal void Make(SqliteSession session)
    {
        foreach (var table in _byName.Values)
            table.Make(session);
    }
}
