using System.Net;
using ApiJobs.Crash.Tests.Faults;
using ApiJobs.Crash.Tests.Load;
using ApiJobs.Crash.Tests.Nodes;
using ApiJobs.Crash.Tests.Rounds;
using ApiJobs.Crash.Tests.Sites;

namespace ApiJobs.Crash.Tests.Scenarios;

/// <summary>Faults of a single machine.</summary>
public sealed class SqliteTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Twenty_kills_lose_nothing_and_double_nothing()
    {
        await using var site = new SqliteSite();
        await using var round = await Round.StartAsync(site, new() { Seed = Seed.Next() }, Cancel);
        await Kill.AtRandomAsync(round, 20, Cancel);
        (await round.EndAsync(Cancel)).ShouldBeSound();
    }

    [Fact]
    public async Task The_real_server_with_OAuth_loses_nothing_when_it_is_killed()
    {
        var shape = new LoadShape(Companies: 2);
        await using var site = new SqliteSite();
        await using var round = await Round.StartAsync(site, new() { Seed = Seed.Next(), Shape = shape, RealServer = new(shape) }, Cancel);
        await Kill.AtRandomAsync(round, 5, Cancel);
        (await round.EndAsync(Cancel)).ShouldBeSound(minJobs: 3);
    }

    [Fact]
    public async Task What_was_acknowledged_survives_power_cuts()
    {
        Disk.SkipUnlessMountable();
        await using var disk = await Disk.CreateExt4Async();
        await using var site = new SqliteSite(disk.Root);
        await using var round = await Round.StartAsync(site, new() { Seed = Seed.Next() }, Cancel);
        await PowerCut.AtRandomAsync(round, disk, 4, Cancel);
        (await round.EndAsync(Cancel)).ShouldBeSound();
        await round.Cluster.Nodes[0].KillAsync();
    }

    [Fact]
    public async Task A_power_cut_forgets_what_was_not_synced_and_nothing_else()
    {
        Disk.SkipUnlessMountable();
        await using var disk = await Disk.CreateExt4Async();
        var (synced, unsynced) = (Path.Combine(disk.Root, "synced"), Path.Combine(disk.Root, "unsynced"));
        await using (var file = File.Create(synced))
        {
            await file.WriteAsync(new byte[10_000], Cancel);
            file.Flush(flushToDisk: true);
        }

        await File.WriteAllBytesAsync(unsynced, new byte[10_000], Cancel);

        await disk.CopyAsync();
        await disk.ReplaceByCopyAsync();

        new FileInfo(synced).Length.ShouldBe(10_000);
        (File.Exists(unsynced) && new FileInfo(unsynced).Length > 0).ShouldBeFalse("the copy has what only the kernel knew");
    }

    [Fact]
    public async Task A_full_disk_refuses_requests_whole_and_jobs_wait_until_there_is_room()
    {
        Disk.SkipUnlessMountable();
        await using var disk = await Disk.CreateTmpfsAsync(bytes: 2 << 20);
        await using var site = new SqliteSite(disk.Root);
        // The worker is slow, so that jobs wait when the disk fills up.
        var options = new RoundOptions
        {
            Seed = Seed.Next(),
            Shape = new(MaxUnfinishedJobs: 1_000),
            Settings = new Dictionary<string, string> { [NodeProgram.ChunkDelay] = "00:00:00.100" },
        };
        await using var round = await Round.StartAsync(site, options, Cancel);

        (await Wait.UntilAsync(() => Task.FromResult(round.Load.CountAnswers(HttpStatusCode.ServiceUnavailable) >= 10), TimeSpan.FromMinutes(1)))
            .ShouldBeTrue("no request was answered with 503");
        (await round.CountUnfinishedAsync(Cancel)).ShouldBeGreaterThan(0, "no job had to wait");

        // Room enough that the load cannot fill it up again.
        await disk.GrowTmpfsAsync(bytes: 256 << 20);
        (await round.Load.WaitForAcceptedAsync(more: 5, TimeSpan.FromSeconds(30))).ShouldBeTrue("nothing was accepted after there was room again");
        var report = await round.EndAsync(Cancel);
        report.ShouldBeSound();
        report.UnavailableButKept.ShouldBe(0);
        await round.Cluster.Nodes[0].KillAsync();
    }

    [Fact]
    public async Task Workers_whose_leases_are_never_renewed_get_in_each_others_way_and_double_nothing()
    {
        await using var site = new SqliteSite();
        await using var round = await Round.StartAsync(site, Careless() with { Seed = Seed.Next() }, Cancel);
        await LetWorkersCollideAsync(round);
        round.Cluster.Nodes[0].Output.ShouldContain("moved by somebody else", customMessage: "no two workers met in a lane");
        (await round.EndAsync(Cancel)).ShouldBeSound(minJobs: 5);
    }

    /// <summary>Waits for work enough that workers without a valid lease surely meet.</summary>
    internal static Task LetWorkersCollideAsync(Round round) => round.Load.WaitForAcceptedAsync(more: 30, TimeSpan.FromSeconds(30));

    /// <summary>Two workers, leases that end long before a slice does, and before the other looks for work: both serve the same lane all the time.</summary>
    internal static RoundOptions Careless(params string[] breaks) => new()
    {
        Seed = 0,
        Shape = new(Companies: 1, MinRecords: 50),
        Settings = new Dictionary<string, string>
        {
            [NodeProgram.Breaks] = string.Join(',', [BrokenBuilds.CarelessLeases, .. breaks]),
            [NodeProgram.ChunkDelay] = "00:00:00.010",
            ["Worker:Lease"] = "00:00:00.030",
            ["Worker:PollInterval"] = "00:00:00.020",
            ["Worker:Slice"] = "00:00:01",
        },
    };
}
