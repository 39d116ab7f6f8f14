namespace ApiJobs.Resources;

/// <summary>The resources an application declares. Stores make their tables; the HTTP face makes their routes.</summary>
public sealed class ResourceCatalog
{
    private readonly Dictionary<string, Resource> _byName = new(StringComparer.Ordinal);

    /// <summary>Checks the declarations against each other.</summary>
    /// <exception cref="ArgumentException">Two resources share a name or a path, or a field refers to a resource that is not declared.</exception>
    public ResourceCatalog(IEnumerable<Resource> resources)
    {
        ArgumentNullException.ThrowIfNull(resources);
        foreach (var resource in resources)
        {
            if (!_byName.TryAdd(resource.Name, resource))
                throw new ArgumentException($"Resource '{resource.Name}' is declared twice.", nameof(resources));
            if (_byName.Values.Count(other => other.Path == resource.Path) > 1)
                throw new ArgumentException($"Two resources have the path '{resource.Path}'.", nameof(resources));
        }

        foreach (var resource in All)
        {
            if (resource.Fields.FirstOrDefault(field => field.References is { } name && !_byName.ContainsKey(name)) is { } field)
                throw new ArgumentException($"Field '{resource.Name}.{field.Name}' refers to '{field.References}', which is not declared.", nameof(resources));
        }
    }

    /// <summary>All resources.</summary>
    public IReadOnlyCollection<Resource> All => _byName.Values;

    /// <summary>Finds a resource by its name.</summary>
    /// <exception cref="KeyNotFoundException">There is none.</exception>
    public Resource this[string name] => _byName[name];
}
