using System.Globalization;
using ApiJobs.Crash.Tests.Load;
using ApiJobs.Crash.Tests.Nodes;
using ApiJobs.Crash.Tests.Rounds;
using ApiJobs.Crash.Tests.Sites;
using Npgsql;

namespace ApiJobs.Crash.Tests.Faults;

/// <summary>How long the lanes of a killed node stand still: from kill -9 until another node's first record is applied in each.</summary>
/// <remarks>
/// Of two nodes the first has claimed every lane before the second starts, and has more work in each than it can do: so
/// each lane was surely held by the node that is killed. Then they change places.
/// </remarks>
internal static class Takeover
{
    private const int Lanes = 4;

    public static TimeSpan Lease { get; } = TimeSpan.FromSeconds(2);

    /// <summary>The longest that a lane may stand still.</summary>
    public static TimeSpan Limit { get; } = Lease + TimeSpan.FromSeconds(2);

    public static RoundOptions Options(int seed) => new()
    {
        Seed = seed,
        // More work in each lane than is done until the kill, and a handler slow enough that a lane is hardly ever free.
        Shape = new(Companies: Lanes, MinRecords: 80, MaxUnfinishedJobs: 16),
        Nodes = [new("a"), new("b")],
        Settings = new Dictionary<string, string>
        {
            [NodeProgram.ChunkDelay] = "00:00:00.100",
            ["Worker:Lease"] = Lease.ToString("c", CultureInfo.InvariantCulture),
            ["Worker:Slots"] = Lanes.ToString(CultureInfo.InvariantCulture),
        },
    };

    /// <summary>Kills the node that holds the lanes, so many times.</summary>
    /// <returns>The times that lanes stood still, the longest last.</returns>
    public static async Task<IReadOnlyList<TimeSpan>> MeasureAsync(
        Round round, PostgreSqlSite site, int kills, CancellationToken cancellationToken)
    {
        var times = new List<TimeSpan>();
        for (var kill = 0; kill < kills; kill++)
        {
            var (victim, heir) = kill % 2 == 0 ? (round.Cluster["a"], round.Cluster["b"]) : (round.Cluster["b"], round.Cluster["a"]);
            // Alone first, until it has every lane and enough to do.
            await heir.KillAsync();
            await Wait.UntilAsync(() => HoldsAllAsync(site, victim, cancellationToken), TimeSpan.FromMinutes(1));
            await heir.StartAsync(cancellationToken);
            await Task.Delay(round.Dice.Milliseconds(0, 300), TimeProvider.System, cancellationToken);

            var killedAt = await site.QueryAsync<DateTime>("SELECT clock_timestamp()", cancellationToken);
            await victim.KillAsync();
            round.Kills++;
            for (var lane = 0; lane < Lanes; lane++)
                times.Add(await FirstAppliedAsync(site, LoadShape.CompanyId(lane), heir, killedAt, cancellationToken) - killedAt);
            await victim.StartAsync(cancellationToken);
        }

        times.Sort();
        return times;
    }

    private static async Task<bool> HoldsAllAsync(PostgreSqlSite site, Node node, CancellationToken cancellationToken) =>
        await site.QueryAsync<long>(
            $"""
            SELECT count(*) FROM lanes l
            WHERE lease_until > clock_timestamp()
              AND (SELECT count(*) FROM jobs j WHERE j.company_id = l.company_id AND j.end_time IS NULL) > 6
              AND (SELECT node FROM applied_log a WHERE a.company_id = l.company_id::text ORDER BY line DESC LIMIT 1) = '{node.Name}'
            """,
            cancellationToken) == Lanes;

    private static async Task<DateTime> FirstAppliedAsync(
        PostgreSqlSite site, Guid company, Node node, DateTime after, CancellationToken cancellationToken)
    {
        await using var connection = (NpgsqlConnection)await site.OpenAsync(writes: false, cancellationToken);
        await using var command = new NpgsqlCommand(
            "SELECT min(applied_at) FROM applied_log WHERE company_id = $1 AND node = $2 AND applied_at > $3", connection)
        {
            Parameters = { new() { Value = company.ToString() }, new() { Value = node.Name }, new() { Value = after } },
        };
        DateTime? first = null;
        await Wait.UntilAsync(
            async () => (first = await command.ExecuteScalarAsync(cancellationToken) as DateTime?) is not null, TimeSpan.FromMinutes(1));
        return first ?? throw new InvalidOperationException($"No node took over the lane of company {company}.");
    }
}
