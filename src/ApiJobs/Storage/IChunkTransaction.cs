using System.Data.Common;
using ApiJobs.Resources;

namespace ApiJobs.Storage;

/// <summary>The open transaction that applies chunks; what an operation does through it commits with the cursor, or not at all.</summary>
public interface IChunkTransaction
{
    /// <summary>The connection the transaction is open on, for an operation's own SQL. Do not close it.</summary>
    /// <remarks>
    /// Others use it afterwards, and nothing is reset between: leave nothing in the session that outlives the transaction
    /// (on PostgreSQL <c>SET LOCAL</c> rather than <c>SET</c>, temporary tables with <c>ON COMMIT DROP</c>).
    /// </remarks>
    DbConnection Connection { get; }

    /// <summary>The transaction, for an operation's own commands. Do not commit it or roll it back.</summary>
    DbTransaction Transaction { get; }

    /// <summary>When the transaction began, UTC, by the store's clock: the time to write into rows.</summary>
    DateTimeOffset Now { get; }

    /// <summary>What rehearsals remember of their chunks before.</summary>
    IRehearsalNotes RehearsalNotes { get; }

    /// <summary>Runs <paramref name="work"/> under a savepoint: if it throws, what it wrote is undone and the exception goes on.</summary>
    Task InSavepointAsync(Func<Task> work, CancellationToken cancellationToken);

    /// <summary>Reads rows of a resource by their ids, as this transaction sees them.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="companyId">The company; no other company's row is ever read.</param>
    /// <param name="ids">Distinct ids.</param>
    /// <param name="fields">The fields to read, a bit for each by its position in <see cref="Resource.Fields"/>; the others are null in the rows.</param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    /// <returns>The rows that exist, by id.</returns>
    Task<Dictionary<Guid, ResourceRow>> LoadRowsAsync(
        Resource resource, Guid companyId, IReadOnlyCollection<Guid> ids, ulong fields, CancellationToken cancellationToken);

    /// <summary>Finds the ids of the rows that hold given values in a unique field.</summary>
    /// <returns>The id by value, for the values that some row of the company holds.</returns>
    Task<Dictionary<string, Guid>> FindByUniqueAsync(
        Resource resource, Guid companyId, Field field, IReadOnlyCollection<string> values, CancellationToken cancellationToken);

    /// <summary>Updates the rows that exist and hold another value than given in at least one of the given fields.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="companyId">The company; no other company's row is ever touched.</param>
    /// <param name="rows">Existing rows by distinct ids: values, <see cref="RowWrite.Fields"/> (at least one) and the time of the update.</param>
    /// <param name="cancellationToken">Cancels the writing.</param>
    /// <returns>The ids of the rows that were updated. A row that is not among them is as it was, or does not exist.</returns>
    /// <exception cref="DbException">A row broke a constraint; <see cref="ILaneStore.Classify"/> says so.</exception>
    Task<HashSet<Guid>> UpdateDifferingAsync(
        Resource resource, Guid companyId, IReadOnlyList<RowWrite> rows, CancellationToken cancellationToken);

    /// <summary>Writes rows: all of a new row's fields, and the <see cref="RowWrite.Fields"/> of an existing one.</summary>
    /// <exception cref="DbException">A row broke a constraint; <see cref="ILaneStore.Classify"/> says so.</exception>
    Task WriteRowsAsync(Resource resource, Guid companyId, IReadOnlyList<RowWrite> rows, CancellationToken cancellationToken);
}
