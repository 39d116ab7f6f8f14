using ApiJobs.Crash.Tests.Rounds;

namespace ApiJobs.Crash.Tests.Faults;

/// <summary>Power cuts of the machine that the one node of a round runs on.</summary>
internal static class PowerCut
{
    private static readonly TimeSpan FirstAnswersWithin = TimeSpan.FromSeconds(10);

    /// <summary>Cuts the power so many times; after each, the node goes on from the disk as it was left.</summary>
    public static async Task AtRandomAsync(Round round, Disk disk, int cuts, CancellationToken cancellationToken)
    {
        var node = round.Cluster.Nodes[0];
        for (var cut = 0; cut < cuts; cut++)
        {
            await round.Load.WaitForAcceptedAsync(more: 3, FirstAnswersWithin);
            await Task.Delay(round.Dice.Milliseconds(20, 400), TimeProvider.System, cancellationToken);
            await node.SignalAsync("STOP");
            await disk.CopyAsync();
            await node.KillAsync();
            round.Kills++;
            await disk.ReplaceByCopyAsync();
            await node.StartAsync(cancellationToken);
        }
    }
}
