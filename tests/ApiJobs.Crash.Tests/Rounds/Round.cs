using System.Diagnostics;
using ApiJobs.Crash.Tests.History;
using ApiJobs.Crash.Tests.Load;
using ApiJobs.Crash.Tests.Nodes;
using ApiJobs.Crash.Tests.Sites;

namespace ApiJobs.Crash.Tests.Rounds;

/// <summary>Nodes over a fresh database, clients that keep sending, and at the end the check: a fault is made in between.</summary>
internal sealed class Round : IAsyncDisposable
{
    private static readonly TimeSpan LateRequests = TimeSpan.FromMilliseconds(300);

    private readonly RoundOptions _options;
    private readonly Site _site;
    private readonly ClientAccess _access;
    private readonly RoundHistory _history;

    private Round(RoundOptions options, Site site, Cluster cluster, ClientAccess access)
    {
        _options = options;
        _site = site;
        _access = access;
        _history = new(options.Shape.Companies);
        Cluster = cluster;
        Load = new(cluster, options.Shape, _history, access, options.Seed);
        Dice = new(options.Seed, -2);
    }

    public Cluster Cluster { get; }

    public LoadRun Load { get; }

    /// <summary>When and where the faults strike.</summary>
    public Dice Dice { get; }

    /// <summary>How many times a process was killed.</summary>
    public int Kills { get; set; }

    public Site Site => _site;

    /// <summary>Starts the nodes, and the clients after them.</summary>
    public static async Task<Round> StartAsync(Site site, RoundOptions options, CancellationToken cancellationToken)
    {
        var cluster = MakeCluster(site.StorageSettings, options);
        try
        {
            // One after another: the first makes the schema.
            foreach (var node in options.Nodes.Where(node => !node.StartsLater))
                await cluster[node.Name].StartAsync(cancellationToken);
            if (options.RealServer is null)
                await site.CreateAppliedLogAsync(cancellationToken);
            var access = options.RealServer is { } server ? await server.LogInAsync(cluster.Nodes[0].Url!, cancellationToken) : ClientAccess.OfNodes;
            var round = new Round(options, site, cluster, access);
            if (options.StartsLoad)
                round.Load.Start();
            return round;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Lets the clients come to an end, waits until every job has ended, and checks everything.</summary>
    public async Task<RoundReport> EndAsync(CancellationToken cancellationToken)
    {
        await Load.StopAsync();
        if (_options.StartsAgain)
            await Cluster.StartAllAsync(cancellationToken);
        var healing = Stopwatch.StartNew();
        // Twice: a request that its client gave up may be accepted a moment after the last job has ended.
        await WaitForEndAsync(_options.EndWithin, cancellationToken);
        var endedAfter = healing.Elapsed;
        await Task.Delay(LateRequests, TimeProvider.System, cancellationToken);
        await WaitForEndAsync(_options.EndWithin - healing.Elapsed, cancellationToken);

        await using var connection = await _site.OpenAsync(writes: false, cancellationToken);
        var reader = new StoreReader(_site, connection);
        await Load.CheckEndedJobsAsync();
        var checker = new HistoryChecker(_history, _options.Shape, _access, _options.Seed, hasAppliedLog: _options.RealServer is null);
        var records = await checker.CheckAsync(reader, cancellationToken);
        if (await _site.FindDamageAsync(cancellationToken) is { Length: > 0 } damage)
            _history.Add(Rule.NoDamage, damage);
        return new(_options.Seed, Kills, _history.Accepted, records, endedAfter, checker.UnavailableButKept, [.. _history.Violations])
        {
            SentAgain = _history.SentAgain,
            Changed = (_history.Cancels.Values.Count(answer => answer == CancelAnswer.Cancelled), _history.Retries.Count),
        };
    }

    /// <summary>Waits until every job has ended.</summary>
    /// <returns>Whether they have, in time.</returns>
    public Task<bool> WaitForEndAsync(TimeSpan within, CancellationToken cancellationToken) =>
        Wait.UntilAsync(async () => await CountUnfinishedAsync(cancellationToken) == 0, within);

    /// <summary>Counts the jobs that have not ended.</summary>
    public async Task<long> CountUnfinishedAsync(CancellationToken cancellationToken)
    {
        await using var connection = await _site.OpenAsync(writes: false, cancellationToken);
        return await new StoreReader(_site, connection).CountUnfinishedAsync(Companies, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        // The clients first: they would wait for answers of nodes that are gone.
        await Load.DisposeAsync();
        await Cluster.DisposeAsync();
    }

    private IEnumerable<Guid> Companies => Enumerable.Range(0, _options.Shape.Companies).Select(LoadShape.CompanyId);

    private static Cluster MakeCluster(IReadOnlyDictionary<string, string> storage, RoundOptions options) => new(
        [.. options.Nodes.Select(node => new Node(
            node.Name, options.SettingsOf(node, storage), Path.GetTempPath(), isRealServer: options.RealServer is not null))]);
}

/// <summary>How a round is set up.</summary>
internal sealed record RoundOptions
{
    // Small chunks and transactions: a job takes several, so that a fault finds one half done. Short waits: a round is seconds.
    private static readonly Dictionary<string, string> DefaultSettings = new()
    {
        ["Intake:ChunkRecords"] = "25",
        ["Worker:MaxRecordsPerTransaction"] = "60",
        ["Worker:Slots"] = "2",
        ["Worker:Slice"] = "00:00:00.050",
        ["Worker:PollInterval"] = "00:00:00.200",
        ["Worker:Lease"] = "00:00:03",
        // The load is as fast as it can be, and has one client a company.
        ["Limits:RequestsPerSecondPerClient"] = "0",
        ["Limits:RequestsPerSecondPerCompany"] = "0",
        ["Logging:LogLevel:Default"] = "Information",
        ["Logging:LogLevel:Microsoft"] = "Warning",
        ["Logging:LogLevel:Microsoft.Hosting.Lifetime"] = "Information",
        // A process that lives for a second gains nothing from code that is compiled twice.
        ["DOTNET_TieredPGO"] = "0",
    };

    public required int Seed { get; init; }

    public LoadShape Shape { get; init; } = new();

    public IReadOnlyList<NodeOptions> Nodes { get; init; } = [new("a")];

    /// <summary>Settings of all nodes, over the defaults.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    /// <summary>Set if the nodes are ApiJobs.Server itself.</summary>
    public RealServer? RealServer { get; init; }

    /// <summary>Whether clients send from the start.</summary>
    public bool StartsLoad { get; init; } = true;

    /// <summary>Whether nodes that are down at the end are started again; else the others have to do without them.</summary>
    public bool StartsAgain { get; init; } = true;

    /// <summary>How long after healing every job must have ended.</summary>
    public TimeSpan EndWithin { get; init; } = TimeSpan.FromMinutes(1);

    public IReadOnlyDictionary<string, string> SettingsOf(NodeOptions node, IReadOnlyDictionary<string, string> storage)
    {
        var all = new Dictionary<string, string>(DefaultSettings);
        foreach (var (name, value) in storage.Concat(RealServer?.Settings ?? new Dictionary<string, string>()).Concat(Settings).Concat(node.Settings))
            all[name] = value;
        return all;
    }
}

/// <summary>A node of a round, and what is special about it.</summary>
internal sealed record NodeOptions(string Name)
{
    /// <summary>Whether the round begins without it.</summary>
    public bool StartsLater { get; init; }

    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();
}
