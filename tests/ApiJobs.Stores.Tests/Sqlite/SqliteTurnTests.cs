using ApiJobs.Sqlite;
using ApiJobs.Storage;

namespace ApiJobs.Stores.Tests.Sqlite;

/// <summary>Who gets the one writer next: callers who wait for their answer come before groups of chunks, and share no commit with slow ones.</summary>
public sealed class SqliteTurnTests : IDisposable
{
    private static readonly TimeSpan Lease = TimeSpan.FromHours(1), Patience = TimeSpan.FromSeconds(30);
    private readonly SqliteFolder _folder = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(2)]
    [InlineData(1_000)]
    public async Task An_accept_goes_before_the_next_group_of_a_slow_operation(int records)
    {
        await using var store = await _folder.OpenAsync();
        var groups = new List<Held>();
        for (var group = 0; group < 3; group++)
            groups.Add(await HoldAsync(store, records));
        try
        {
            foreach (var group in groups)
                group.Begin(() => _folder.Time.Advance(TimeSpan.FromMilliseconds(5 * records)));
            await groups[0].Entered.WaitAsync(Patience, Stop);
            groups[0].Release();
            await groups[1].Entered.WaitAsync(Patience, Stop);

            // The second runs, the third was there before the accept.
            var sealing = SealAsync(store);
            groups[1].Release();
            await sealing.WaitAsync(Patience, Stop);
        }
        finally
        {
            groups.ForEach(group => group.Release());
        }

        await Task.WhenAll(groups.Select(group => group.Applied!)).WaitAsync(Patience, Stop);
    }

    [Fact]
    public async Task Many_accepts_do_not_keep_a_group_from_its_turn()
    {
        await using var store = await _folder.OpenAsync();
        // The first group of a type waits alone, because nobody knows how long it takes.
        var known = await HoldAsync(store, 1);
        known.Release();
        known.Begin();
        await known.Applied!.WaitAsync(Patience, Stop);
        var running = await HoldAsync(store, 1);
        var waiting = await HoldAsync(store, 1);
        running.Begin();
        await running.Entered.WaitAsync(Patience, Stop);
        waiting.Release();
        waiting.Begin();
        var accepts = Enumerable.Range(0, 500).Select(_ => SealAsync(store)).ToList();
        running.Release();

        await Task.WhenAll([.. accepts, waiting.Applied!]).WaitAsync(Patience, Stop);
        waiting.JobsBefore.ShouldBeInRange(3, 100);
    }

    private static Task<SealResult> SealAsync(SqliteStore store) =>
        store.Jobs.SealJobAsync(SqliteFolder.NewJob(Guid.CreateVersion7()), SqliteFolder.Chunk(), Stop);

    private static async Task<Held> HoldAsync(SqliteStore store, int records)
    {
        await store.Jobs.SealJobAsync(SqliteFolder.NewJob(Guid.CreateVersion7(), records), SqliteFolder.Chunk(records: records), Stop);
        var lease = (await store.Lanes.ClaimLaneAsync("node", Lease, Stop)).ShouldNotBeNull();
        return new(store, lease, await store.Lanes.ReadAheadAsync(lease, null, records, Stop));
    }

    /// <summary>A group of chunks whose effects wait for a signal, as slow ones wait for whatever they do.</summary>
    private sealed class Held(SqliteStore store, LaneLease lease, IReadOnlyList<PendingChunk> chunks)
    {
        private readonly TaskCompletionSource _entered = new(), _released = new();

        internal Task Entered => _entered.Task;

        internal Task? Applied { get; private set; }

        /// <summary>How many jobs had been accepted when the group got its turn.</summary>
        internal long JobsBefore { get; private set; }

        internal void Release() => _released.TrySetResult();

        internal void Begin(Action? whileItRuns = null) => Applied = store.Lanes.ApplyAsync(lease, chunks, async (transaction, _) =>
        {
            await using (var count = transaction.Connection.CreateCommand())
            {
                count.Transaction = transaction.Transaction;
                count.CommandText = "SELECT count(*) FROM jobs";
                JobsBefore = (long)count.ExecuteScalar()!;
            }

            _entered.SetResult();
            await _released.Task;
            whileItRuns?.Invoke();
            return SqliteFolder.AllUpdated(chunks);
        }, Stop);
    }
}
