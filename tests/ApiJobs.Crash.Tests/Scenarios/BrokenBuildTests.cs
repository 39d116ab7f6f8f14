using ApiJobs.Crash.Tests.Faults;
using ApiJobs.Crash.Tests.History;
using ApiJobs.Crash.Tests.Nodes;
using ApiJobs.Crash.Tests.Rounds;
using ApiJobs.Crash.Tests.Sites;

namespace ApiJobs.Crash.Tests.Scenarios;

/// <summary>The checker is worth what it catches: builds that break one rule of the protocol, under faults that the sound build bears.</summary>
public sealed class BrokenBuildTests
{
    private const int MaxRounds = 8, KillsARound = 2;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public Task A_build_that_acknowledges_before_the_commit_is_caught() => CatchAsync(
        new RoundOptions { Seed = 0, Settings = Broken(BrokenBuilds.AcknowledgeBeforeCommit) }, KillAsync, Rule.NothingIsLost);

    [Fact]
    public Task A_build_that_moves_the_cursor_in_a_transaction_of_its_own_is_caught() => CatchAsync(
        new RoundOptions { Seed = 0, Settings = Broken(BrokenBuilds.CursorInItsOwnTransaction) }, KillAsync, Rule.NothingIsDoubled, Rule.OutcomesAreRight);

    [Fact]
    public Task A_build_without_a_guard_on_the_cursor_is_caught() =>
        CatchAsync(SqliteTests.Careless(BrokenBuilds.NoCursorGuard), SqliteTests.LetWorkersCollideAsync, Rule.NothingIsDoubled);

    [Fact]
    public async Task A_build_that_does_not_wait_for_the_disk_is_caught()
    {
        Disk.SkipUnlessMountable();
        await using var disk = await Disk.CreateExt4Async();
        await CatchAsync(
            new RoundOptions { Seed = 0, Settings = Broken(BrokenBuilds.NoWaitForDisk) },
            async round =>
            {
                // The fault begins with the first chunk.
                await round.Load.WaitForAcceptedAsync(more: 20, TimeSpan.FromSeconds(10));
                await PowerCut.AtRandomAsync(round, disk, cuts: 1, Cancel);
            },
            disk, Rule.NothingIsLost);
    }

    private static Task CatchAsync(RoundOptions options, Func<Round, Task> makeFaultAsync, params Rule[] rules) =>
        CatchAsync(options, makeFaultAsync, disk: null, rules);

    /// <summary>Runs rounds until one shows the fault.</summary>
    private static async Task CatchAsync(RoundOptions options, Func<Round, Task> makeFaultAsync, Disk? disk, params Rule[] rules)
    {
        RoundReport? report = null;
        for (var tried = 0; tried < MaxRounds; tried++)
        {
            await using var site = new SqliteSite(disk is null ? null : Directory.CreateDirectory(Path.Combine(disk.Root, $"{tried}")).FullName);
            // Jobs may be stuck for ever: how long they are waited for is not what is tested.
            await using var round = await Round.StartAsync(site, options with { Seed = Seed.Next(), EndWithin = TimeSpan.FromSeconds(5) }, Cancel);
            await makeFaultAsync(round);
            report = await round.EndAsync(Cancel);
            Console.WriteLine(report);
            if (report.Breaks(rules))
                return;
        }

        Assert.Fail($"The checker did not catch the broken build in {MaxRounds} rounds: {report}");
    }

    private static Task KillAsync(Round round) => Kill.AtRandomAsync(round, KillsARound, Cancel);

    private static Dictionary<string, string> Broken(string name) => new() { [NodeProgram.Breaks] = name };
}
