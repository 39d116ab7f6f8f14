using System.Diagnostics;
using System.Globalization;
using ApiJobs.Crash.Tests.Faults;
using ApiJobs.Crash.Tests.Load;
using ApiJobs.Crash.Tests.Sites;
using ApiJobs.Testing;

namespace ApiJobs.Crash.Tests.Rounds;

/// <summary>The long round: hundreds of faults, a check after every so many, a table at the end.</summary>
internal sealed class LongRound
{
    public const string Usage = """
        long --store sqlite|postgresql   where the jobs are
             --fault kill|power-cut      what happens to the nodes; power-cut is for sqlite only (kill)
             --kills N                   how many faults (300)
             --minutes M                 go on for this long instead
             --seed S                    repeat a run; each check's part of it has the next seed (a new one)
             --kills-per-check N         faults between two checks, each on a fresh database (25)
        """;

    private readonly Totals _totals = new();
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly LongOptions _options;

    private LongRound(LongOptions options) => _options = options;

    /// <returns>0 if no promise was broken, 1 if one was, 2 if the options are wrong.</returns>
    public static async Task<int> RunAsync(string[] arguments)
    {
        if (LongOptions.TryParse(arguments) is not { } options)
        {
            Console.Error.WriteLine(Usage);
            return 2;
        }

        Console.WriteLine($"seed {options.Seed}");
        return await new LongRound(options).RunAsync() ? 0 : 1;
    }

    private async Task<bool> RunAsync()
    {
        await using var server = _options.IsPostgreSql ? await PostgreSqlServer.StartAsync() : null;
        for (var part = 0; !IsOver; part++)
        {
            var report = await RunPartAsync(server, _options.Seed + part);
            _totals.Add(report);
            Console.WriteLine($"{_clock.Elapsed:hh\\:mm\\:ss} {report}");
        }

        if (server is not null)
            await MeasureTakeoverAsync(server);
        Console.WriteLine(_totals.Table(_options, _clock.Elapsed));
        return _totals.IsSound;
    }

    private bool IsOver => _options.Minutes is { } minutes ? _clock.Elapsed.TotalMinutes >= minutes : _totals.Kills >= _options.Kills;

    private async Task<RoundReport> RunPartAsync(PostgreSqlServer? server, int seed)
    {
        var kills = _options.Minutes is null ? Math.Min(_options.KillsPerCheck, _options.Kills - _totals.Kills) : _options.KillsPerCheck;
        await using var disk = _options.Fault == LongOptions.PowerCut ? await Disk.CreateExt4Async() : null;
        await using var site = server is null ? (Site)new SqliteSite(disk?.Root) : await PostgreSqlSite.CreateAsync(server);
        var options = new RoundOptions { Seed = seed, Nodes = server is null ? [new("a")] : [new("a"), new("b")] };
        await using var round = await Round.StartAsync(site, options, CancellationToken.None);
        if (disk is null)
            await Kill.AtRandomAsync(round, kills, CancellationToken.None);
        else
            await PowerCut.AtRandomAsync(round, disk, kills, CancellationToken.None);
        var report = await round.EndAsync(CancellationToken.None);
        foreach (var node in round.Cluster.Nodes)
            await node.KillAsync();
        return report;
    }

    // Four lanes a kill: with 300 kills the 99th percentile is that of a hundred lanes.
    private async Task MeasureTakeoverAsync(PostgreSqlServer server)
    {
        await using var site = await PostgreSqlSite.CreateAsync(server);
        await using var round = await Round.StartAsync(site, Takeover.Options(_options.Seed), CancellationToken.None);
        _totals.Takeovers = await Takeover.MeasureAsync(round, site, Math.Max(3, _totals.Kills / 12), CancellationToken.None);
        var report = await round.EndAsync(CancellationToken.None);
        _totals.Add(report);
        Console.WriteLine($"{_clock.Elapsed:hh\\:mm\\:ss} takeover, {report}");
    }

    private sealed class Totals
    {
        private readonly List<RoundReport> _reports = [];

        public int Kills => _reports.Sum(report => report.Kills);

        /// <summary>How long lanes stood still, the longest last.</summary>
        public IReadOnlyList<TimeSpan> Takeovers { get; set; } = [];

        public bool IsSound =>
            _reports.TrueForAll(report => report.Violations.Count == 0) && (Takeovers.Count == 0 || Percentile99 <= Takeover.Limit);

        private TimeSpan Percentile99 => Takeovers[(int)Math.Ceiling(Takeovers.Count * 0.99) - 1];

        public void Add(RoundReport report) => _reports.Add(report);

        public string Table(LongOptions options, TimeSpan elapsed)
        {
            var jobs = _reports.Sum(report => report.JobsAcknowledged);
            var takeover = Takeovers.Count == 0
                ? "– | –"
                : string.Create(CultureInfo.InvariantCulture, $"{Percentile99.TotalSeconds:F2} s | {Takeovers[^1].TotalSeconds:F2} s");
            return string.Create(
                CultureInfo.InvariantCulture,
                $"""

                | store | fault | seed | kills | jobs acknowledged | records | lost | doubled | not ended | other | 503 and kept | takeover p99 | worst takeover | time |
                |---|---|---|---|---|---|---|---|---|---|---|---|---|---|
                | {options.Store} | {options.Fault} | {options.Seed} | {Kills} | {jobs:N0} | {_reports.Sum(report => report.Records):N0} | {_reports.Sum(report => report.Lost)} | {_reports.Sum(report => report.Doubled)} | {_reports.Sum(report => report.NotEnded)} | {_reports.Sum(report => report.Other)} | {_reports.Sum(report => report.UnavailableButKept)} | {takeover} | {elapsed:hh\:mm\:ss} |

                A takeover may take {Takeover.Limit.TotalSeconds} s: the lease, {Takeover.Lease.TotalSeconds} s here, and 2 s.
                {(IsSound ? $"No failure in {Kills} kills: with 95 % confidence fewer than {3.0 / Kills:P1} of kills do harm (3/N)." : "A promise was broken.")}
                """);
        }
    }
}

/// <summary>What the long round was asked for.</summary>
internal sealed record LongOptions(string Store, string Fault, int Kills, double? Minutes, int Seed, int KillsPerCheck)
{
    public const string Kill = "kill", PowerCut = "power-cut";

    public bool IsPostgreSql => Store == "postgresql";

    /// <returns>The options; null if they are not what <see cref="LongRound.Usage"/> says.</returns>
    public static LongOptions? TryParse(string[] arguments)
    {
        var given = new Dictionary<string, string>(StringComparer.Ordinal);
        if (arguments.Length % 2 != 0)
            return null;
        foreach (var pair in arguments.Chunk(2))
            given[pair[0]] = pair[1];

        string Take(string name, string otherwise) => given.Remove(name, out var value) ? value : otherwise;
        bool IsNumber(string text, out int number) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
        var (store, fault, minutes) = (Take("--store", ""), Take("--fault", Kill), Take("--minutes", ""));
        double? time = double.TryParse(minutes, NumberStyles.Float, CultureInfo.InvariantCulture, out var parsed) ? parsed : null;
        if (!IsNumber(Take("--kills", "300"), out var kills) || !IsNumber(Take("--kills-per-check", "25"), out var killsPerCheck)
            || !IsNumber(Take("--seed", Dice.NewSeed().ToString(CultureInfo.InvariantCulture)), out var seed)
            || given.Count > 0 || kills == 0 || killsPerCheck == 0 || (minutes.Length > 0 && time is null)
            || store is not ("sqlite" or "postgresql") || fault is not (Kill or PowerCut) || (fault == PowerCut && store != "sqlite"))
        {
            return null;
        }

        return new(store, fault, kills, time, seed, killsPerCheck);
    }
}
