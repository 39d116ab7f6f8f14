using ApiJobs.Crash.Tests.Rounds;

namespace ApiJobs.Crash.Tests.Faults;

/// <summary>kill -9 of nodes at random moments, while clients keep sending.</summary>
internal static class Kill
{
    // Some die again before they are ready: in the schema's upgrade, in recovery, at the first claims.
    private const double WhileStarting = 0.2;

    // Most have answered before: a process that dies before its first work is done shows little.
    private const double BeforeFirstAnswer = 0.15;

    private static readonly TimeSpan FirstAnswerWithin = TimeSpan.FromSeconds(5);

    /// <summary>Kills nodes until the round has had so many kills. The last one killed is left down.</summary>
    public static async Task AtRandomAsync(Round round, int kills, CancellationToken cancellationToken)
    {
        var last = round.Kills + kills;
        while (round.Kills < last)
        {
            await round.Cluster.StartAllAsync(cancellationToken);
            if (!round.Dice.Chance(BeforeFirstAnswer))
                await round.Load.WaitForAcceptedAsync(more: round.Cluster.Nodes.Count, FirstAnswerWithin);
            await Task.Delay(round.Dice.Milliseconds(20, 400), TimeProvider.System, cancellationToken);
            var node = round.Cluster.Nodes[round.Dice.Next(round.Cluster.Nodes.Count)];
            await node.KillAsync();
            round.Kills++;
            if (round.Kills < last && round.Dice.Chance(WhileStarting) && await node.StartAndKillAsync(round.Dice.Milliseconds(100, 1_000)))
                round.Kills++;
        }
    }
}
