using System.Text;
using ApiJobs.Admission;
using ApiJobs.Intake;
using ApiJobs.Jobs;
using ApiJobs.Operations;
using ApiJobs.Processing;
using ApiJobs.Records;
using ApiJobs.Resources;
using ApiJobs.Storage;
using ApiJobs.Stores.Tests.Broken;
using ApiJobs.Stores.Tests.Conformance;
using ApiJobs.Waiting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace ApiJobs.Stores.Tests.Engine;

/// <summary>The engine on a real store, without the web: requests in, workers on, outcomes and rows out.</summary>
public abstract class EngineTests(StoreFixture stores) : IAsyncLifetime
{
    protected static readonly Guid Company = new("aff00be6-f734-4094-a8ae-62874485dac0");
    // A fault that lasts must be red, and say what it was.
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60), Moment = TimeSpan.FromMilliseconds(5);

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
    private JobWatch? _watch;

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    protected StoreDatabase Database => _database!;

    protected IWholeStore Store => _node!.Store;

    protected IResourceStore Rows => _node!.Rows;

    protected IntakeOptions Intake { get; } = new() { ChunkRecords = 10 };

    /// <summary>What the engine and its workers have logged.</summary>
    protected TestLog Log { get; } = new();

    protected WorkerOptions WorkerOptions { get; } = new() { Slots = 1, PollInterval = TimeSpan.FromMilliseconds(50) };

    public async ValueTask InitializeAsync()
    {
        _database = await stores.CreateDatabaseAsync();
        _node = await Database.OpenAsync(Catalog, Cancel);
    }

    public async ValueTask DisposeAsync()
    {
        _watch?.Dispose();
        if (_database is not null)
            await _database.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    protected async Task CrashAndRestartAsync()
    {
        await Database.CrashAsync();
        _node = await Database.OpenAsync(Catalog, Cancel);
    }

    /// <summary>Offers one more operation.</summary>
    protected void Offer(BulkOperation operation) => _operations.Add(operation);

    /// <summary>Offers an operation no longer, as a program of which it was removed.</summary>
    protected void Withdraw(BulkOperation operation) => _operations.Remove(operation);

    protected BulkOperation Operation(string type) => _operations.Single(operation => operation.Type == type);

    protected ApiJobEngine Engine(IWholeStore? store = null) => new(
        store ?? Store, new(_operations), Options.Create(Intake), Options.Create(new AdmissionOptions()), new WorkPace(), Watch, TimeProvider.System, Log);

    /// <summary>A node's worker slots on the store; they go by the machine's clock unless told otherwise.</summary>
    private protected WorkerNode Node(IWholeStore? store = null, TimeProvider? time = null, JobWatch? watch = null)
    {
        time ??= TimeProvider.System;
        return new(store ?? Store, new(_operations), WorkerOptions, new(), watch ?? Watch, new(time, Log), time, Log);
    }

    /// <summary>Those who wait; the engines and workers of a test share it, as on one node.</summary>
    protected JobWatch Watch => _watch ??= new(Store, Options.Create(new WaitOptions()), TimeProvider.System, NullLogger<JobWatch>.Instance);

    protected Task<ApiJob> SendAsync(string type, params IReadOnlyList<string> records) => SendAsync(Company, type, JobOptions.None, records);

    protected async Task<ApiJob> SendAsync(string type, JobOrigin origin, params IReadOnlyList<string> records)
    {
        await using var reader = new ListReader(records);
        return await Engine().AcceptAsync(new(Company, Operation(type), JobOptions.None) { Origin = origin }, reader, Cancel);
    }

    protected async Task<ApiJob> SendAsync(
        Guid company, string type, JobOptions options, IReadOnlyList<string> records, IWholeStore? store = null)
    {
        await using var reader = new ListReader(records);
        return await Engine(store).AcceptAsync(new(company, Operation(type), options), reader, Cancel);
    }

    /// <summary>Runs a worker until the jobs have ended, and reads them again.</summary>
    protected Task<IReadOnlyList<ApiJob>> RunToEndAsync(IWholeStore store, params IReadOnlyList<ApiJob> jobs) => RunToEndAsync(Node(store), jobs);

    /// <inheritdoc cref="RunToEndAsync(IWholeStore, IReadOnlyList{ApiJob})"/>
    private protected async Task<IReadOnlyList<ApiJob>> RunToEndAsync(WorkerNode node, params IReadOnlyList<ApiJob> jobs)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var running = Task.Run(() => new Worker(node).RunAsync(stop.Token), Cancel);
        var began = TimeProvider.System.GetTimestamp();
        try
        {
            var ended = new List<ApiJob>();
            foreach (var job in jobs)
            {
                var now = await FindAsync(job);
                for (; !now.HasEnded; now = await FindAsync(job))
                {
                    if (TimeProvider.System.GetElapsedTime(began) > Deadline)
                        throw new TimeoutException($"Job {job.Id} is still {now.Status}. The last that was logged: {Log.LastFault}");
                    // A store that goes by the test's clock lets ill lanes go on only as that moves.
                    Database.Clock.Advance(Moment);
                    await Task.Delay(Moment, TimeProvider.System, Cancel);
                }

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
