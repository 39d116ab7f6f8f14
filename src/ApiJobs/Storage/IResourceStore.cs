using ApiJobs.Resources;

namespace ApiJobs.Storage;

/// <summary>Reads the declared resources for their callers. Writing goes through jobs only.</summary>
public interface IResourceStore
{
    /// <summary>Reads one row of a company.</summary>
    /// <returns>The row with all its fields, or null if the company has none of that id.</returns>
    Task<ResourceRow?> FindRowAsync(Resource resource, Guid companyId, Guid id, CancellationToken cancellationToken);

    /// <summary>Reads a page of a company's rows, in the order of their ids.</summary>
    /// <returns>At most <see cref="ResourceQuery.Limit"/> rows with all their fields.</returns>
    Task<IReadOnlyList<ResourceRow>> ListRowsAsync(
        Resource resource, Guid companyId, ResourceQuery query, CancellationToken cancellationToken);
}

/// <summary>Which rows of a resource to read.</summary>
public sealed record ResourceQuery
{
    /// <summary>Fields and the exact values they must have (in <see cref="Field"/>'s stored form).</summary>
    public IReadOnlyList<(Field Field, string Value)> Equal { get; init; } = [];

    /// <summary>Only rows changed at this time or after it, UTC.</summary>
    public DateTimeOffset? UpdatedAfter { get; init; }

    /// <summary>Rows to pass over.</summary>
    public int Offset { get; init; }

    /// <summary>Rows to read at the most.</summary>
    public required int Limit { get; init; }
}
