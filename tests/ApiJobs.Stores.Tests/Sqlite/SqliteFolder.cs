using System.Text;
using ApiJobs.Records;
using ApiJobs.Resources;
using ApiJobs.Sqlite;
using ApiJobs.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace ApiJobs.Stores.Tests.Sqlite;

/// <summary>A folder of its own with a database in it, and what tests ask of stores on it.</summary>
internal sealed class SqliteFolder : IDisposable
{
    internal static readonly Resource Cases = new("customer_case", "Case", "cases",
    [
        Field.Text("ref", 100) with { IsUnique = true, IsFilter = true },
        Field.Text("postcode", 10) with { IsFilter = true },
        Field.Uuid("owner_id"),
        Field.Date("signed_on"),
        Field.Integer("copies"),
        Field.Boolean("is_open"),
        Field.Map("meta"),
    ]);

    private readonly string _folder = Path.Combine(Path.GetTempPath(), "apijobs-" + Guid.CreateVersion7().ToString("N"));

    internal SqliteFolder() => Clock = new(Time);

    internal FakeTimeProvider Time { get; } = new(new DateTimeOffset(2024, 2, 21, 10, 21, 31, TimeSpan.Zero));

    /// <summary>What the stores go by: <see cref="Time"/>, unless it is set to another.</summary>
    internal SetClock Clock { get; }

    internal string Root => _folder;

    internal string DatabasePath => Path.Combine(_folder, "data", "apijobs.db");

    internal string ConnectionString => $"Data Source={DatabasePath}";

    internal SqliteStore Store(params Resource[] resources) => StoreAt(DatabasePath, resources: resources);

    internal SqliteStore StoreAt(string path, Action<SqliteStoreOptions>? configure = null, params Resource[] resources)
    {
        var options = new SqliteStoreOptions { ConnectionString = $"Data Source={path}", LockTimeout = TimeSpan.FromSeconds(1) };
        configure?.Invoke(options);
        return new(options, new ResourceCatalog(resources.Length == 0 ? [Cases] : resources), Clock, NullLogger<SqliteStore>.Instance);
    }

    internal async Task<SqliteStore> OpenAsync(params Resource[] resources)
    {
        var store = Store(resources);
        await store.Upkeep.InitializeAsync(TestContext.Current.CancellationToken);
        return store;
    }

    internal static NewJob NewJob(Guid companyId, long records = 1, string lane = "") => new()
    {
        Id = Guid.CreateVersion7(),
        CompanyId = companyId,
        Type = "customer_case_bulk_update",
        Lane = lane,
        TotalRecords = records,
    };

    internal static Chunk Chunk(int index = 0, long firstRecord = 0, int records = 1, int payloadBytes = 20) =>
        new(index, firstRecord, records, Encoding.UTF8.GetBytes(new string('x', payloadBytes)));

    /// <summary>What an operation would return that updated every record and has nothing to say.</summary>
    internal static IReadOnlyList<ChunkOutcome> AllUpdated(IEnumerable<PendingChunk> chunks) =>
        [.. chunks.Select(pending => Outcome(pending, RecordOutcome.Updated))];

    internal static ChunkOutcome Outcome(PendingChunk pending, RecordOutcome outcome, string message = "") => new(
        Enumerable.Repeat((byte)outcome, pending.Chunk.RecordCount).ToArray(), ReadOnlyMemory<byte>.Empty, message, message.Length == 0 ? 0 : 1);

    internal void Execute(string sql)
    {
        using var connection = new SqliteConnection(ConnectionString + ";Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // The SQL is the test's own.
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
