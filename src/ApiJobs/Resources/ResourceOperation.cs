using ApiJobs.Jobs;
using ApiJobs.Operations;
using ApiJobs.Records;

namespace ApiJobs.Resources;

/// <summary>What a bulk request does with a declared resource's records.</summary>
public enum ResourceVerb
{
    /// <summary>Makes a row; refuses an id that exists.</summary>
    Create,

    /// <summary>Merges into an existing row (RFC 7396): an absent field is left, null clears.</summary>
    Update,

    /// <summary>Updates the row if it exists, else makes it.</summary>
    Upsert,
}

/// <summary>The bulk operation of a declared resource.</summary>
public sealed class ResourceOperation(Resource resource, ResourceVerb verb, ResourceCatalog catalog) : BulkOperation
{
    /// <summary>The resource.</summary>
    public Resource Resource => resource;

    /// <summary>What is done with its records.</summary>
    public ResourceVerb Verb => verb;

    internal ResourceCatalog Catalog => catalog;

    /// <inheritdoc/>
    public override string Type { get; } = $"{resource.Name}_bulk_{verb.ToString().ToLowerInvariant()}";

    /// <inheritdoc/>
    public override string Label => resource.Label;

    /// <inheritdoc/>
    public override void Prepare(JobRecord record, JobOptions options) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override Task ApplyAsync(
        IReadOnlyList<JobRecord> records, OperationContext context, CancellationToken cancellationToken) => throw new NotSupportedException();
}
