using ApiJobs.Resources;

namespace ApiJobs.PostgreSql.Resources;

/// <summary>The tables of the declared resources.</summary>
internal sealed class ResourceTables
{
    // Where the search path puts resources beside the store's own tables, their names must differ.
    private static readonly HashSet<string> OwnTables =
        ["jobs", "chunks", "chunk_results", "job_messages", "uploads", "lanes", "lane_tails", "schema_versions"];

    private readonly Dictionary<string, ResourceTable> _byName = new(StringComparer.Ordinal);

    internal ResourceTables(ResourceCatalog resources)
    {
        foreach (var resource in resources.All)
        {
            if (OwnTables.Contains(resource.Name))
                throw new ArgumentException($"A resource cannot be named '{resource.Name}': the store keeps a table of that name. Rename the resource.", nameof(resources));
            _byName.Add(resource.Name, new(resource));
        }
    }

    internal ResourceTable this[Resource resource] =>
        _byName.TryGetValue(resource.Name, out var table)
            ? table
            : throw new ArgumentException($"Resource '{resource.Name}' is not in the store's catalog.", nameof(resource));
}
