using System.Text;
using ApiJobs.Intake;
using ApiJobs.Jobs;
using ApiJobs.Operations;
using ApiJobs.Processing;
using ApiJobs.Records;
using ApiJobs.Resources;
using ApiJobs.Storage;
using ApiJobs.Stores.Tests.Broken;
using ApiJobs.Stores.Tests.Conformance;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace ApiJobs.Stores.Tests.Engine;

/// <summary>The engine on a real store, without the web: requests in, workers on, outcomes and rows out.</summary>
public abstract class EngineTests(StoreFixture stores) : IAsyncLifetime
{
    protected static readonly Guid Company = new("aff00be6-f734-4094-a8ae-62874485dac0");
    protected static readonly Guid OtherCompany = new("aff00be6-f734-4094-a8ae-62874485dac1");

    protected static Resource Cases { get; } = new("customer_case", "Case", "cases",
    [
        Field.Text("ref", maxLength: 20) with { IsUnique = true },
        Field.Map("meta", maxMembers: 3),
        Field.Text("notes", maxLength: 50),
        Field.Text("title", maxLength: 20) with { IsRequired = true },
    ]);

    protected static Resource Customers { get; } = new("customer", "Customer", "customers",
    [
        Field.Uuid("customer_case_id") with { References = "customer_case" },
        Field.Text("last_name", maxLength: 50),
        Field.Date("date_of_birth"),
        Field.Integer("children"),
        Field.Boolean("smoker"),
    ]);

    protected static ResourceCatalog Catalog { get; } = new([Cases, Customers]);

    private readonly List<BulkOperation> _operations =
    [
        .. from resource in Catalog.All from verb in Enum.GetValues<ResourceVerb>() select new ResourceOperation(resource, verb, Catalog),
    ];

    private StoreDatabase? _database;
    private StoreNode? _node;

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    protected StoreDatabase Database => _database!;

    protected IWholeStore Store => _node!.Store;

    protected IResourceStore Rows => _node!.Rows;

    protected IntakeOptions Intake { get; } = new() { ChunkRecords = 10 };

    protected WorkerOptions WorkerOptions { get; } = new() { Slots = 1, PollInterval = TimeSpan.FromMilliseconds(50) };

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

    /// <summary>Offers one more operation.</summary>
    protected void Offer(BulkOperation operation) => _operations.Add(operation);

    protected BulkOperation Operation(string type) => _operations.Single(operation => operation.Type == type);

    protected ApiJobEngine Engine(IWholeStore? store = null) => new(
        store ?? Store, new(_operations), Options.Create(Intake), new WorkPace(), TimeProvider.System, NullLogger<ApiJobEngine>.Instance);

    protected Task<ApiJob> SendAsync(string type, params IReadOnlyList<string> records) => SendAsync(Company, type, JobOptions.None, records);

    protected async Task<ApiJob> SendAsync(
        Guid company, string type, JobOptions options, IReadOnlyList<string> records, IWholeStore? store = null)
    {
        await using var reader = new ListReader(records);
        return await Engine(store).AcceptAsync(new(company, Operation(type), options), reader, Cancel);
    }

    /// <summary>Runs workers until the jobs have ended, and reads them again.</summary>
    protected async Task<IReadOnlyList<ApiJob>> RunToEndAsync(IWholeStore store, params IReadOnlyList<ApiJob> jobs)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var worker = new Worker(store, new(_operations), WorkerOptions, new WorkPace(), TimeProvider.System, NullLogger.Instance);
        var running = Task.Run(() => worker.RunAsync(stop.Token), Cancel);
        try
        {
            var ended = new List<ApiJob>();
            foreach (var job in jobs)
            {
                var now = await FindAsync(job);
                for (; !now.HasEnded; now = await FindAsync(job))
                    await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, Cancel);
                ended.Add(now);
            }

            return ended;
        }
        finally
        {
            await stop.CancelAsync();
            await running;
        }
    }

    protected async Task<ApiJob> RunAsync(string type, params IReadOnlyList<string> records) =>
        (await RunToEndAsync(Store, await SendAsync(type, records)))[0];

    protected async Task<ApiJob> FindAsync(ApiJob job) => (await Store.FindJobAsync(job.CompanyId, job.Id, Cancel)).ShouldNotBeNull();

    protected async Task<IReadOnlyList<RecordResult>> ResultsAsync(ApiJob job)
    {
        var results = new List<RecordResult>();
        await foreach (var result in Engine().ReadRecordsAsync(job, 0, Cancel))
            results.Add(result);
        return results;
    }

    protected Task<string> MessageAsync(ApiJob job) => Store.ReadMessageAsync(job.CompanyId, job.Id, job.NextChunk, Cancel);

    /// <summary>The outcomes of a job's records as one line of text: <c>created failed:not_found/id updated</c>.</summary>
    protected async Task<string> OutcomesAsync(ApiJob job) =>
        string.Join(' ', (await ResultsAsync(job)).Select(result => string.Join(
            ':', [result.Outcome.ToString().ToLowerInvariant(), .. result.Errors.Select(error => error.Code + error.Pointer)])));

    protected async Task<string?> ValueAsync(Resource resource, Guid id, string field) =>
        (await Rows.FindRowAsync(resource, Company, id, Cancel)).ShouldNotBeNull().Values[resource.IndexOf(field)];

    /// <summary>Gives records from memory, as a format's reader would cut them out of a body.</summary>
    protected sealed class ListReader(IReadOnlyList<string> records, Exception? fault = null) : RecordReader
    {
        private int _next;

        public override ValueTask<bool> ReadAsync(CancellationToken cancellationToken)
        {
            if (_next == records.Count)
                return fault is null ? ValueTask.FromResult(false) : throw fault;
            Current = Encoding.UTF8.GetBytes(records[_next++]);
            return ValueTask.FromResult(true);
        }
    }
}
