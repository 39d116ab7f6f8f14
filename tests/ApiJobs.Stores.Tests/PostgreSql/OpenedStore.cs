using ApiJobs.Jobs;
using ApiJobs.PostgreSql;
using ApiJobs.Storage;
using ApiJobs.Stores.Tests.Broken;

namespace ApiJobs.Stores.Tests.PostgreSql;

/// <summary>A store that a test opened, with short forms for what tests do to it.</summary>
public sealed class OpenedStore(PostgreSqlStore store) : StoreDecorator(store.Jobs, store.Lanes, store.Upkeep), IAsyncDisposable
{
    public IResourceStore Rows => store.Rows;

    public ValueTask DisposeAsync() => store.DisposeAsync();

    public Task<LaneLease?> ClaimLaneAsync(TimeSpan leaseFor, CancellationToken cancellationToken) =>
        ClaimLaneAsync("node", leaseFor, cancellationToken);

    public Task ReleaseLaneAsync(LaneLease lease, CancellationToken cancellationToken) => ReleaseLaneAsync(lease, fault: null, cancellationToken);

    /// <summary>Seals a job that is to be sealed.</summary>
    public async Task<ApiJob> SealAsync(NewJob job, Chunk lastChunk, CancellationToken cancellationToken) =>
        (await SealJobAsync(job, lastChunk, cancellationToken)).ShouldBeOfType<SealResult.Sealed>().Job;
}
