using System.Collections.Frozen;
using ApiJobs.Resources;
using ApiJobs.Sqlite.Schema;
using ApiJobs.Sqlite.Session;

namespace ApiJobs.Sqlite.Resources;

/// <summary>The tables of the declared resources.</summary>
internal sealed class SqliteTables
{
    private readonly FrozenDictionary<string, SqliteTable> _byName;

    internal SqliteTables(ResourceCatalog catalog)
    {
        foreach (var resource in catalog.All)
        {
            if (StoreTables.IsReserved(resource.Name))
                throw new ArgumentException($"A resource cannot be called '{resource.Name}': the SQLite store has a table of that name.", nameof(catalog));
        }

        _byName = catalog.All.ToFrozenDictionary(resource => resource.Name, resource => new SqliteTable(resource), StringComparer.Ordinal);
    }

    /// <summary>Finds a resource's table.</summary>
    /// <exception cref="ArgumentException">The resource is not declared in the store's catalog.</exception>
    internal SqliteTable this[Resource resource]
    {
        get
        {
            ArgumentNullException.ThrowIfNull(resource);
            return _byName.GetValueOrDefault(resource.Name)
                ?? throw new ArgumentException($"Resource '{resource.Name}' is not in the store's catalog.", nameof(resource));
        }
    }

    /// <summary>Makes missing tables, columns and indexes. Nothing is ever dropped: an older program's data may be in it.</summary>
    internal void Make(PreparedConnection connection)
    {
        foreach (var table in _byName.Values)
            table.Make(connection);
    }
}
