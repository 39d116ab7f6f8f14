using ApiJobs.Sqlite;
using ApiJobs.Storage;
using ApiJobs.Stores.Tests.Conformance;
using Microsoft.Data.Sqlite;

namespace ApiJobs.Stores.Tests.Sqlite;

public sealed class SqliteWriterTests : IDisposable
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);
    private readonly SqliteFolder _folder = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task One_failure_in_a_group_does_not_hurt_its_neighbours()
    {
        await using var store = await _folder.OpenAsync();
        var (blockingLease, blocking) = await PendingAsync(store, records: 1_000);
        var (failingLease, failing) = await PendingAsync(store);
        var (goodLease, good) = await PendingAsync(store);
        TaskCompletionSource entered = new(), release = new();
        var blocker = store.Lanes.ApplyAsync(blockingLease, blocking, async (_, _) =>
        {
            entered.SetResult();
            await release.Task;
            return SqliteFolder.AllUpdated(blocking);
        }, Stop);
        await entered.Task;

        // All of these wait for the writer now, so they share its next transaction.
        NewJob first = SqliteFolder.NewJob(Guid.CreateVersion7()), second = SqliteFolder.NewJob(Guid.CreateVersion7());
        var sealFirst = store.Jobs.SealJobAsync(first, SqliteFolder.Chunk(), Stop);
        var fails = store.Lanes.ApplyAsync(failingLease, failing, (transaction, _) =>
        {
            using var command = transaction.Connection.CreateCommand();
            command.Transaction = transaction.Transaction;
            command.CommandText = "CREATE TABLE undone (x)";
            command.ExecuteNonQuery();
            throw new TimeoutException("of the effects");
        }, Stop);
        var applies = store.Lanes.ApplyAsync(goodLease, good, (_, _) => Task.FromResult(SqliteFolder.AllUpdated(good)), Stop);
        var sealSecond = store.Jobs.SealJobAsync(second, SqliteFolder.Chunk(), Stop);
        using var tooLate = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var cancelled = store.Jobs.SealJobAsync(SqliteFolder.NewJob(Guid.CreateVersion7()), SqliteFolder.Chunk(), tooLate.Token);
        await tooLate.CancelAsync();
        release.SetResult();

        (await blocker).ShouldNotBeEmpty();
        (await sealFirst).ShouldBeSealed();
        (await Should.ThrowAsync<TimeoutException>(fails)).Message.ShouldBe("of the effects");
        (await applies).ShouldNotBeEmpty();
        (await sealSecond).ShouldBeSealed();
        await Should.ThrowAsync<OperationCanceledException>(cancelled);
        (await store.Jobs.FindJobAsync(first.CompanyId, first.Id, Stop)).ShouldNotBeNull();
        (await store.Jobs.FindJobAsync(second.CompanyId, second.Id, Stop)).ShouldNotBeNull();
        (await store.Jobs.FindJobAsync(failingLease.CompanyId, failing[0].Job.Id, Stop))!.NextChunk.ShouldBe(0);
        _folder.Execute("CREATE TABLE undone (x)");
    }

    [Fact]
    public async Task A_first_failure_is_undone_alone_too()
    {
        await using var store = await _folder.OpenAsync();
        var (lease, chunks) = await PendingAsync(store);
        var fails = store.Lanes.ApplyAsync(lease, chunks, (_, _) => throw new TimeoutException(), Stop);
        await Should.ThrowAsync<TimeoutException>(fails);
        (await store.Lanes.ApplyAsync(lease, chunks, (_, _) => Task.FromResult(SqliteFolder.AllUpdated(chunks)), Stop)).ShouldNotBeEmpty();
    }

    [Fact]
    public async Task A_full_disk_is_unavailable_and_passes()
    {
        await using var store = await _folder.OpenAsync();
        var (lease, chunks) = await PendingAsync(store);
        await SetMaxPagesAsync(store, lease, chunks, 1);

        var job = SqliteFolder.NewJob(Guid.CreateVersion7());
        var large = SqliteFolder.Chunk(payloadBytes: 1 << 20);
        var unavailable = await Should.ThrowAsync<StoreUnavailableException>(() => store.Jobs.SealJobAsync(job, large, Stop));
        store.Lanes.Classify(unavailable).ShouldBe(StoreFault.Transient);
        (await store.Jobs.FindJobAsync(job.CompanyId, job.Id, Stop)).ShouldBeNull();
        await store.Upkeep.PingAsync(Stop);

        await SetMaxPagesAsync(store, lease, chunks, 1_000_000);
        (await store.Jobs.SealJobAsync(job, large, Stop)).ShouldBeSealed();
    }

    [Fact]
    public async Task A_locked_file_is_unavailable_and_passes()
    {
        await using var store = await _folder.OpenAsync();
        using (var other = new SqliteConnection(_folder.ConnectionString + ";Pooling=False"))
        {
            other.Open();
            using var transaction = other.BeginTransaction();
            await Should.ThrowAsync<StoreUnavailableException>(() => store.Jobs.SealJobAsync(SqliteFolder.NewJob(Guid.CreateVersion7()), SqliteFolder.Chunk(), Stop));
        }

        (await store.Jobs.SealJobAsync(SqliteFolder.NewJob(Guid.CreateVersion7()), SqliteFolder.Chunk(), Stop)).ShouldBeSealed();
    }

    [Fact]
    public async Task Closing_writes_what_was_asked_for_and_refuses_what_comes_later()
    {
        var job = SqliteFolder.NewJob(Guid.CreateVersion7());
        var store = await _folder.OpenAsync();
        var sealing = store.Jobs.SealJobAsync(job, SqliteFolder.Chunk(), Stop);
        await store.DisposeAsync();
        (await sealing).ShouldBeSealed();
        await Should.ThrowAsync<StoreUnavailableException>(() => store.Jobs.SealJobAsync(job, SqliteFolder.Chunk(), Stop));
        await store.DisposeAsync();
    }

    // The limit holds for one connection, and this is the way to the writer's.
    private static async Task SetMaxPagesAsync(SqliteStore store, LaneLease lease, IReadOnlyList<PendingChunk> chunks, int pages)
    {
        await Should.ThrowAsync<TimeoutException>(() => store.Lanes.ApplyAsync(lease, chunks, (transaction, _) =>
        {
            using var command = transaction.Connection.CreateCommand();
            command.Transaction = transaction.Transaction;
#pragma warning disable CA2100 // A pragma takes no parameters.
            command.CommandText = $"PRAGMA max_page_count = {pages}";
#pragma warning restore CA2100
            command.ExecuteNonQuery();
            throw new TimeoutException();
        }, Stop));
    }

    private static async Task<(LaneLease Lease, IReadOnlyList<PendingChunk> Chunks)> PendingAsync(SqliteStore store, int records = 1)
    {
        await store.Jobs.SealJobAsync(SqliteFolder.NewJob(Guid.CreateVersion7(), records), SqliteFolder.Chunk(records: records), Stop);
        var lease = (await store.Lanes.ClaimLaneAsync("node", Lease, Stop)).ShouldNotBeNull();
        return (lease, await store.Lanes.ReadAheadAsync(lease, null, records, Stop));
    }
}
