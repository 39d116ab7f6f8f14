using System.Buffers;
using System.Text;
using ApiJobs.Jobs;
using ApiJobs.PostgreSql;
using ApiJobs.Records;
using ApiJobs.Resources;
using ApiJobs.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Npgsql;

namespace ApiJobs.Stores.Tests.PostgreSql;

/// <summary>A store on a fresh database, and short forms for what tests do to it.</summary>
public abstract class PostgreSqlStoreTest(PostgreSqlDatabases databases) : IAsyncLifetime
{
    private readonly List<OpenedStore> _stores = [];

    protected static Resource Notes { get; } = new(
        "note", "Note", "notes",
        [
            Field.Text("ref", 100) with { IsUnique = true, IsFilter = true }, Field.Uuid("owner"), Field.Date("due"),
            Field.Integer("order"), Field.Boolean("done"), Field.Map("meta"),
        ]);

    protected static TimeSpan Lease { get; } = TimeSpan.FromSeconds(30);

    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    protected FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));

    protected string ConnectionString { get; private set; } = "";

    protected OpenedStore Store { get; private set; } = null!;

    public virtual async ValueTask InitializeAsync()
    {
        ConnectionString = await CreateDatabaseAsync();
        Store = OpenStore();
        await Store.InitializeAsync(Token);
    }

    public virtual async ValueTask DisposeAsync()
    {
        foreach (var store in _stores)
            await store.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    protected virtual Task<string> CreateDatabaseAsync() => databases.CreateAsync();

    protected OpenedStore OpenStore(Action<PostgreSqlStoreOptions>? configure = null)
    {
        var options = new PostgreSqlStoreOptions { ConnectionString = ConnectionString };
        configure?.Invoke(options);
        var store = new OpenedStore(new(options, new([Notes]), Time, NullLogger<PostgreSqlStore>.Instance));
        _stores.Add(store);
        return store;
    }

    protected static NewJob NewJob(Guid companyId, long totalRecords = 1, string lane = "") => new()
    {
        Id = Guid.CreateVersion7(),
        CompanyId = companyId,
        Type = "note_bulk_create",
        Lane = lane,
        TotalRecords = totalRecords,
    };

    protected static Chunk ChunkOf(int index, long firstRecord, params string[] records)
    {
        var payload = new ArrayBufferWriter<byte>();
        foreach (var record in records)
            ChunkPayload.Append(payload, Encoding.UTF8.GetBytes(record));
        return new(index, firstRecord, records.Length, payload.WrittenMemory);
    }

    protected Task<ApiJob> SealAsync(Guid companyId, OpenedStore? store = null) =>
        (store ?? Store).SealAsync(NewJob(companyId), ChunkOf(0, 0, "{}"), Token);

    protected static Task<IReadOnlyList<ChunkOutcome>> AllUpdated(IReadOnlyList<PendingChunk> chunks) =>
        Task.FromResult<IReadOnlyList<ChunkOutcome>>(
            [.. chunks.Select(chunk => new ChunkOutcome(Enumerable.Repeat((byte)RecordOutcome.Updated, chunk.Chunk.RecordCount).ToArray(), default, "", 0))]);

    protected async Task<bool> ApplyAsync(LaneLease lease, IReadOnlyList<PendingChunk> chunks) =>
        (await Store.ApplyAsync(lease, chunks, (_, _) => AllUpdated(chunks), Token)).Count > 0;

    protected async Task UntilSomebodyWaitsForALockAsync()
    {
        while (await QueryAsync<long>("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") == 0)
            await Task.Yield();
    }

    protected async Task<T> QueryAsync<T>(string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(Token);
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync(Token))!;
    }

    protected async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(Token);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Token);
    }
}
