namespace ApiJobs.Storage;

/// <summary>What the process needs of a store around the work: its schema, its health, and removing what nobody needs any longer.</summary>
public interface IUpkeep
{
    /// <summary>Makes or upgrades the schema, the declared resources' tables among it.</summary>
    /// <exception cref="SchemaTooNewException">The database was upgraded by a newer program.</exception>
    Task InitializeAsync(CancellationToken cancellationToken);

    /// <summary>Succeeds when the database answers and could be written to.</summary>
    /// <exception cref="StoreUnavailableException">It could not; the message says why: away, read-only, a standby, no room left.</exception>
    Task PingAsync(CancellationToken cancellationToken);

    /// <summary>Removes uploads to which nothing was appended for <paramref name="idleFor"/>, by the store's clock.</summary>
    /// <returns>How many uploads were removed.</returns>
    Task<int> SweepUploadsAsync(TimeSpan idleFor, CancellationToken cancellationToken);

    /// <summary>Removes a little of what rehearsals have noted that have ended, in one short transaction.</summary>
    /// <returns>Whether something was removed; then there may be more, and the call is to be made again.</returns>
    Task<bool> SweepRehearsalsAsync(CancellationToken cancellationToken);

    /// <summary>Reads the companies that have ever had a job, in the order of their ids.</summary>
    /// <param name="after">The last one read before; null begins with the first.</param>
    /// <param name="max">The most to read.</param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    Task<IReadOnlyList<Guid>> ReadCompaniesAsync(Guid? after, int max, CancellationToken cancellationToken);

    /// <summary>Removes a little of what a company's jobs have left that ended longer ago than they are kept, in one short transaction.</summary>
    /// <remarks>What has not ended is never touched. Jobs go after their records, so that one that is there without records has been here.</remarks>
    /// <param name="companyId">The company.</param>
    /// <param name="keptFor">How long ago, by the store's clock, a job must have ended.</param>
    /// <param name="part">What to remove of them.</param>
    /// <param name="cancellationToken">Cancels before the commit.</param>
    /// <returns>Whether something was removed; then there may be more, and the call is to be made again.</returns>
    Task<bool> RemoveEndedAsync(Guid companyId, TimeSpan keptFor, EndedPart part, CancellationToken cancellationToken);
}

/// <summary>What is removed of an ended job.</summary>
public enum EndedPart
{
    /// <summary>Its records, and what happened to each.</summary>
    Records,

    /// <summary>All of it.</summary>
    Jobs,
}
