namespace ApiJobs.Operations;

/// <summary>The operations an application offers, by job type.</summary>
public sealed class OperationCatalog
{
    private readonly Dictionary<string, BulkOperation> _byType = new(StringComparer.Ordinal);

    /// <summary>Collects operations.</summary>
    /// <exception cref="ArgumentException">Two have the same type.</exception>
    public OperationCatalog(IEnumerable<BulkOperation> operations)
    {
        ArgumentNullException.ThrowIfNull(operations);
        foreach (var operation in operations)
        {
            if (!_byType.TryAdd(operation.Type, operation))
                throw new ArgumentException($"Two operations have the type '{operation.Type}'.", nameof(operations));
        }
    }

    /// <summary>All operations.</summary>
    public IReadOnlyCollection<BulkOperation> All => _byType.Values;

    /// <summary>Finds the operation of a job type.</summary>
    /// <returns>The operation, or null if this program does not have it (an older or newer one accepted the job).</returns>
    public BulkOperation? Find(string type) => _byType.GetValueOrDefault(type);
}
