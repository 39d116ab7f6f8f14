using System.Data.Common;
using ApiJobs.Resources;
using ApiJobs.Storage;

namespace ApiJobs.Stores.Tests.Engine;

/// <summary>A sound transaction; a subclass changes one thing of it.</summary>
internal class ChunkTransactionDecorator(IChunkTransaction sound) : IChunkTransaction
{
    public DbConnection Connection => sound.Connection;

    public DbTransaction Transaction => sound.Transaction;

    public DateTimeOffset Now => sound.Now;

    public IRehearsalNotes RehearsalNotes => sound.RehearsalNotes;

    public virtual Task InSavepointAsync(Func<Task> work, CancellationToken cancellationToken) => sound.InSavepointAsync(work, cancellationToken);

    public Task<Dictionary<Guid, ResourceRow>> LoadRowsAsync(
        Resource resource, Guid companyId, IReadOnlyCollection<Guid> ids, ulong fields, CancellationToken cancellationToken) =>
        sound.LoadRowsAsync(resource, companyId, ids, fields, cancellationToken);

    public Task<Dictionary<string, Guid>> FindByUniqueAsync(
        Resource resource, Guid companyId, Field field, IReadOnlyCollection<string> values, CancellationToken cancellationToken) =>
        sound.FindByUniqueAsync(resource, companyId, field, values, cancellationToken);

    public Task<HashSet<Guid>> UpdateDifferingAsync(
        Resource resource, Guid companyId, IReadOnlyList<RowWrite> rows, CancellationToken cancellationToken) =>
        sound.UpdateDifferingAsync(resource, companyId, rows, cancellationToken);

    public Task WriteRowsAsync(Resource resource, Guid companyId, IReadOnlyList<RowWrite> rows, CancellationToken cancellationToken) =>
        sound.WriteRowsAsync(resource, companyId, rows, cancellationToken);
}
