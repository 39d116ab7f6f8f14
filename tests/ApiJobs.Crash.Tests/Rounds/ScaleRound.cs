using System.Globalization;
using ApiJobs.Crash.Tests.Nodes;
using ApiJobs.Crash.Tests.Sites;
using ApiJobs.Testing;

namespace ApiJobs.Crash.Tests.Rounds;

/// <summary>Four worker nodes against one, over one PostgreSQL, with a handler that waits: how much more they do.</summary>
internal static class ScaleRound
{
    private const int Companies = 16, JobsEach = 60, RecordsEach = 75, ManyNodes = 4, WarmUpChunks = 40;
    private const double Goal = 3.8;

    private static readonly TimeSpan Window = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    /// <returns>0 if the goal was reached, else 1.</returns>
    public static async Task<int> RunAsync()
    {
        await using var server = await PostgreSqlServer.StartAsync();
        var one = await MeasureAsync(server, nodes: 1);
        var many = await MeasureAsync(server, ManyNodes);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{ManyNodes} nodes apply {many:F1} chunks/s, one applies {one:F1}: {many / one:F2} times as many; the goal is {Goal}."));
        return many / one >= Goal ? 0 : 1;
    }

    private static async Task<double> MeasureAsync(PostgreSqlServer server, int nodes)
    {
        var options = new RoundOptions
        {
            Seed = 1,
            Shape = new(Companies, RecordsEach, RecordsEach, JobsEach, MaxPauseMilliseconds: 1),
            Nodes =
            [
                new("api") { Settings = new Dictionary<string, string> { ["Worker:Enabled"] = "false" } },
                .. Enumerable.Range(1, nodes).Select(node => new NodeOptions($"worker-{node}") { StartsLater = true }),
            ],
            Settings = new Dictionary<string, string>
            {
                [NodeProgram.ChunkDelay] = "00:00:00.020",
                ["Worker:Slots"] = "1",
                ["Worker:MaxRecordsPerTransaction"] = "25",
                ["Logging:LogLevel:Default"] = "Warning",
            },
        };
        await using var site = await PostgreSqlSite.CreateAsync(server);
        await using var round = await Round.StartAsync(site, options, CancellationToken.None);
        // Accepting takes processor time that working should have: so everything is accepted before.
        await Wait.UntilAsync(async () => await round.CountUnfinishedAsync(CancellationToken.None) >= Companies * JobsEach * 9 / 10, Limit);
        await round.Load.StopAsync();

        await round.Cluster.StartAllAsync(CancellationToken.None);
        await Wait.UntilAsync(async () => (await CountAsync(site)).Chunks >= WarmUpChunks * nodes, Limit);
        var from = await CountAsync(site);
        await Task.Delay(Window, TimeProvider.System);
        var to = await CountAsync(site);
        if (await round.CountUnfinishedAsync(CancellationToken.None) < Companies)
            throw new InvalidOperationException("The work was over before the time was. Raise JobsEach.");
        return (to.Chunks - from.Chunks) / (to.At - from.At).TotalSeconds;
    }

    private static async Task<(long Chunks, DateTime At)> CountAsync(PostgreSqlSite site)
    {
        await using var connection = await site.OpenAsync(writes: false, CancellationToken.None);
        await using var command = connection.CreateCommand();
        command.CommandText = "SELECT count(*), clock_timestamp() FROM chunk_results";
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        return (reader.GetInt64(0), reader.GetDateTime(1));
    }
}
