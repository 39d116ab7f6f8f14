using System.Buffers;
using System.Globalization;
using System.Text;
using ApiJobs.Jobs;
using ApiJobs.Records;
using ApiJobs.Resources;
using ApiJobs.Storage;
using ApiJobs.Stores.Tests.Broken;
using static ApiJobs.Stores.Tests.Conformance.TestResources;

namespace ApiJobs.Stores.Tests.Conformance;

/// <summary>
/// The suite that says what a store is. Each part of it is an abstract class for one concern; a store conforms when
/// its sealed subclasses pass. Here are a fresh database for each test and the verbs that all parts speak.
/// </summary>
public abstract class StoreTests(StoreFixture stores) : IAsyncLifetime
{
    protected static readonly TimeSpan LeaseTime = TimeSpan.FromSeconds(30);

    protected const string NodeName = "a node of the test";

    // Only a store that hangs ever waits this long.
    protected static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    protected static readonly Guid Company = new("aff00be6-f734-4094-a8ae-62874485dac0");
    protected static readonly Guid OtherCompany = new("aff00be6-f734-4094-a8ae-62874485dac1");

    private StoreDatabase? _database;
    private StoreNode? _node;

    protected StoreDatabase Database => _database!;

    protected IWholeStore Store => _node!.Store;

    protected IResourceStore Rows => _node!.Rows;

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    protected DateTimeOffset Now => Database.Clock.GetUtcNow();

    public async ValueTask InitializeAsync()
    {
        _database = await stores.CreateDatabaseAsync();
        _node = await Database.OpenAsync(Catalog, Cancel);
    }

    public async ValueTask DisposeAsync()
    {
        if (_database is not null)
            await _database.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    protected Task<StoreDatabase> CreateDatabaseAsync() => stores.CreateDatabaseAsync();

    /// <summary>Another node on the test's database. Of a store that one process owns there is no other, so that its callers share the one.</summary>
    protected async Task<IWholeStore> AnotherNodeAsync() =>
        Database.ServesManyNodes ? (await Database.OpenAsync(Catalog, Cancel)).Store : Store;

    protected async Task RestartAsync()
    {
        await Database.CloseAsync();
        _node = await Database.OpenAsync(Catalog, Cancel);
    }

    protected async Task CrashAndRestartAsync()
    {
        await Database.CrashAsync();
        _node = await Database.OpenAsync(Catalog, Cancel);
    }

    // Accepting.

    /// <summary>Makes chunks of the given sizes, with a payload that no other chunk has.</summary>
    protected static IReadOnlyList<Chunk> ChunksOf(params int[] recordCounts)
    {
        var salt = Guid.CreateVersion7();
        var first = 0L;
        var chunks = new List<Chunk>();
        foreach (var count in recordCounts)
        {
            var payload = new ArrayBufferWriter<byte>();
            for (var record = first; record < first + count; record++)
                ChunkPayload.Append(payload, Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $$"""{"id":"{{salt}}","ref":"{{record}}"}""")));
            chunks.Add(new(chunks.Count, first, count, payload.WrittenMemory));
            first += count;
        }

        return chunks;
    }

    protected static NewJob NewJob(Guid company, IReadOnlyList<Chunk> chunks, string lane = "") => new()
    {
        Id = Guid.CreateVersion7(),
        CompanyId = company,
        Type = "sample_bulk_create",
        Lane = lane,
        TotalRecords = chunks.Sum(chunk => chunk.RecordCount),
    };

    /// <summary>Accepts a job of chunks of the given sizes in the company's main lane.</summary>
    protected Task<ApiJob> AcceptAsync(Guid company, params int[] recordCounts) => AcceptAsync(Store, company, "", recordCounts);

    protected static async Task<ApiJob> AcceptAsync(IWholeStore store, Guid company, string lane, params int[] recordCounts)
    {
        var chunks = ChunksOf(recordCounts);
        return await UploadAsync(store, NewJob(company, chunks, lane), chunks);
    }

    protected static async Task<ApiJob> UploadAsync(IWholeStore store, NewJob job, IReadOnlyList<Chunk> chunks)
    {
        foreach (var chunk in chunks.SkipLast(1))
            (await store.AppendChunkAsync(job.CompanyId, job.Id, chunk, Cancel)).ShouldBeTrue();
        return (await store.SealJobAsync(job, chunks[^1], Cancel)).ShouldBeSealed();
    }

    // Working.

    protected async Task<LaneLease> ClaimAsync() => (await Store.ClaimLaneAsync(NodeName, LeaseTime, Cancel)).ShouldNotBeNull();

    protected async Task<IReadOnlyList<PendingChunk>> ReadAheadAsync(LaneLease lease, int maxRecords = int.MaxValue) =>
        await Store.ReadAheadAsync(lease, null, maxRecords, Cancel);

    /// <summary>Applies chunks; their effects are a row for each record.</summary>
    protected Task<bool> ApplyAsync(LaneLease lease, params IReadOnlyList<PendingChunk> chunks) => ApplyAsync(Store, lease, chunks);

    protected async Task<bool> ApplyAsync(IWholeStore store, LaneLease lease, IReadOnlyList<PendingChunk> chunks) =>
        (await store.ApplyAsync(lease, chunks, Effects(chunks), Cancel)).Count > 0;

    /// <summary>Applies chunks without effects, with the given results.</summary>
    protected async Task<bool> ApplyAsync(LaneLease lease, IReadOnlyList<PendingChunk> chunks, params IReadOnlyList<ChunkOutcome> outcomes) =>
        (await Store.ApplyAsync(lease, chunks, (_, _) => Task.FromResult(outcomes), Cancel)).Count > 0;

    protected ApplyChunks Effects(IReadOnlyList<PendingChunk> chunks) => async (transaction, cancellationToken) =>
    {
        foreach (var company in chunks.GroupBy(chunk => chunk.Job.CompanyId))
            await transaction.WriteRowsAsync(Effect, company.Key, [.. company.SelectMany(EffectRows)], cancellationToken);
        return [.. chunks.Select(AllCreated)];
    };

    protected static ChunkOutcome AllCreated(PendingChunk pending)
    {
        var outcomes = new byte[pending.Chunk.RecordCount];
        Array.Fill(outcomes, (byte)RecordOutcome.Created);
        return new(outcomes, default, "", 0);
    }

    /// <summary>Claims lanes and applies what is in them until nothing is left.</summary>
    protected async Task DrainAsync(IWholeStore store)
    {
        while (await store.ClaimLaneAsync(NodeName, LeaseTime, Cancel) is { } lease)
        {
            while (await store.ReadAheadAsync(lease, null, 100, Cancel) is { Count: > 0 } chunks)
                await ApplyAsync(store, lease, chunks);
            await store.ReleaseLaneAsync(lease, fault: null, Cancel);
        }
    }

    /// <summary>Runs <paramref name="work"/> in the transaction of a chunk of the company, and commits it.</summary>
    protected async Task InTransactionAsync(Guid company, Func<IChunkTransaction, Task> work)
    {
        var lane = Guid.CreateVersion7().ToString();
        await AcceptAsync(Store, company, lane, 1);
        var others = new List<LaneLease>();
        var lease = await ClaimAsync();
        for (; lease.Lane != lane; lease = await ClaimAsync())
            others.Add(lease);

        var chunks = await ReadAheadAsync(lease);
        (await Store.ApplyAsync(lease, chunks, async (transaction, _) =>
        {
            await work(transaction);
            return [AllCreated(chunks[0])];
        }, Cancel)).ShouldNotBeEmpty();

        foreach (var claimed in others.Append(lease))
            await Store.ReleaseLaneAsync(claimed, fault: null, Cancel);
    }

    protected Task InsertAsync(Guid company, params ResourceRow[] rows) => InTransactionAsync(company, transaction =>
        transaction.WriteRowsAsync(Sample, company, [.. rows.Select(row => new RowWrite(row, IsNew: true, 0))], Cancel));

    // What can be seen from outside.

    protected async Task<ApiJob> FindAsync(ApiJob job) => (await Store.FindJobAsync(job.CompanyId, job.Id, Cancel)).ShouldNotBeNull();

    protected async Task ExpectMessageAsync(ApiJob job, string text, int entryCount)
    {
        var found = await FindAsync(job);
        (await MessageAsync(found)).ShouldBe(text);
        (found.MessageEntryCount, found.MessageBytes).ShouldBe((entryCount, Encoding.UTF8.GetByteCount(text)));
    }

    /// <summary>The entries of a job's message, of the moment at which the job was read.</summary>
    protected Task<string> MessageAsync(ApiJob job) => Store.ReadMessageAsync(job.CompanyId, job.Id, job.NextChunk, Cancel);

    protected Task<IReadOnlyList<ChunkResult>> ResultsAsync(ApiJob job) => Store.ReadResultsAsync(job.CompanyId, job.Id, 0, 10_000, Cancel);

    /// <summary>The records of a company that were applied, as often as they were, in the order in which they were.</summary>
    protected async Task<IReadOnlyList<(Guid Job, long Record)>> AppliedAsync(Guid company)
    {
        var rows = await Rows.ListRowsAsync(Effect, company, new() { Limit = 100_000 }, Cancel);
        return [.. rows
            .OrderBy(row => long.Parse(row.Values[2]!, CultureInfo.InvariantCulture))
            .Select(row => (Guid.Parse(row.Values[0]!), long.Parse(row.Values[1]!, CultureInfo.InvariantCulture)))];
    }

    /// <summary>Every record of some jobs, once, in the order in which it has to be applied.</summary>
    protected static IEnumerable<(Guid Job, long Record)> RecordsOf(params IEnumerable<ApiJob> jobs) =>
        jobs.SelectMany(job => Enumerable.Range(0, (int)job.TotalRecords).Select(record => (job.Id, (long)record)));

    private long _sequence;

    private IEnumerable<RowWrite> EffectRows(PendingChunk pending)
    {
        for (var index = 0; index < pending.Chunk.RecordCount; index++)
        {
            string?[] values =
            [
                pending.Job.Id.ToString(),
                (pending.Chunk.FirstRecord + index).ToString(CultureInfo.InvariantCulture),
                Interlocked.Increment(ref _sequence).ToString(CultureInfo.InvariantCulture),
            ];
            yield return new(new(Guid.CreateVersion7(), values, Now, Now), IsNew: true, 0);
        }
    }
}

internal static class SealResults
{
    public static ApiJob ShouldBeSealed(this SealResult result) => result.ShouldBeOfType<SealResult.Sealed>().Job;

    public static void ShouldBeSwept(this SealResult result) => result.ShouldBeOfType<SealResult.Swept>();
}
