using ApiJobs.Crash.Tests.Faults;
using ApiJobs.Crash.Tests.History;
using ApiJobs.Crash.Tests.Nodes;
using ApiJobs.Crash.Tests.Rounds;
using ApiJobs.Crash.Tests.Sites;
using ApiJobs.Testing;
using Npgsql;

namespace ApiJobs.Crash.Tests.Scenarios;

/// <summary>Faults of two nodes over one PostgreSQL, and of PostgreSQL itself.</summary>
public sealed class PostgreSqlTests(PostgreSqlRun postgreSql)
{
    private static readonly NodeOptions[] TwoNodes = [new("a"), new("b")];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Fifteen_kills_of_either_node_lose_nothing_and_double_nothing()
    {
        await using var site = await PostgreSqlSite.CreateAsync(await postgreSql.Server);
        await using var round = await Round.StartAsync(site, new() { Seed = Seed.Next(), Nodes = TwoNodes }, Cancel);
        await Kill.AtRandomAsync(round, 15, Cancel);
        (await round.EndAsync(Cancel)).ShouldBeSound();
    }

    [Fact]
    public async Task A_node_that_was_stopped_beyond_its_lease_writes_nothing_when_it_goes_on()
    {
        var options = new RoundOptions
        {
            Seed = Seed.Next(),
            Shape = new(Companies: 2, MinRecords: 60, MaxUnfinishedJobs: 12),
            // Alone, the first surely has both lanes, and more to do in them.
            Nodes = [new("a"), new("b") { StartsLater = true }],
            Settings = new Dictionary<string, string>
            {
                ["Worker:Lease"] = "00:00:02",
                // Slow enough that the node is stopped in the middle of a transaction, which PostgreSQL must end for it.
                [NodeProgram.ChunkDelay] = "00:00:00.100",
                [NodeProgram.IdleTransactionTimeout] = "00:00:02",
            },
        };
        await using var site = await PostgreSqlSite.CreateAsync(await postgreSql.Server);
        await using var round = await Round.StartAsync(site, options, Cancel);
        var (stopped, heir) = (round.Cluster["a"], round.Cluster["b"]);
        (await Wait.UntilAsync(
            async () => await AppliedByAsync(site, "a") > 100 && await round.CountUnfinishedAsync(Cancel) > 16, TimeSpan.FromSeconds(30)))
            .ShouldBeTrue("the node that is to be stopped should be at work");

        // First the clients: what they sent to a stopped node, it would rightly accept when it goes on.
        await round.Load.StopAsync();
        await stopped.SignalAsync("STOP");
        (await round.CountUnfinishedAsync(Cancel)).ShouldBeGreaterThan(0, "the work was over before the node was stopped");
        await heir.StartAsync(Cancel);
        (await round.WaitForEndAsync(TimeSpan.FromMinutes(1), Cancel)).ShouldBeTrue("the other node did not take over");
        var before = await AppliedByAsync(site, "a");

        // Every job has ended, so whatever it writes now is wrong.
        await stopped.SignalAsync("CONT");
        string[] noticed = ["is lost", "could not go on", "moved by somebody else"];
        (await Wait.UntilAsync(() => Task.FromResult(noticed.Any(stopped.Output.Contains)), TimeSpan.FromSeconds(30)))
            .ShouldBeTrue($"it did not notice that it lost its lanes: {stopped.Output}");
        (await AppliedByAsync(site, "a")).ShouldBe(before);
        (await round.EndAsync(Cancel)).ShouldBeSound(minJobs: 5);
    }

    [Fact]
    public async Task PostgreSql_stopped_without_a_checkpoint_and_started_again_loses_nothing()
    {
        await using var site = await PostgreSqlSite.CreateAsync(await postgreSql.Server);
        await using var round = await Round.StartAsync(site, new() { Seed = Seed.Next(), Nodes = TwoNodes }, Cancel);
        for (var crash = 0; crash < 2; crash++)
        {
            await round.Load.WaitForAcceptedAsync(more: 10, TimeSpan.FromSeconds(30));
            await site.Server.StopImmediateAsync();
            await Task.Delay(round.Dice.Milliseconds(50, 1_500), TimeProvider.System, Cancel);
            await site.Server.StartAgainAsync();
        }

        // The connections of this process, too, were cut.
        NpgsqlConnection.ClearAllPools();
        (await round.Load.WaitForAcceptedAsync(more: 5, TimeSpan.FromSeconds(30))).ShouldBeTrue("nothing was accepted after PostgreSQL came back");
        (await round.EndAsync(Cancel)).ShouldBeSound();
    }

    [Fact]
    public async Task Connections_that_are_cut_in_statements_and_commits_lose_nothing_and_double_nothing()
    {
        // A server of its own, because holding commits holds those of all databases.
        await using var server = await PostgreSqlServer.StartAsync();
        await using var site = await PostgreSqlSite.CreateAsync(server);
        await using var round = await Round.StartAsync(site, new() { Seed = Seed.Next(), Nodes = TwoNodes }, Cancel);
        var terminated = await Backends.TerminateAsync(site, round.Dice, duringCommit: 10, TimeSpan.FromSeconds(60), Cancel);
        Console.WriteLine($"{terminated} backends were terminated, 10 of them or more during a commit.");
        (await round.EndAsync(Cancel)).ShouldBeSound();
    }

    [Fact]
    public async Task A_node_whose_clock_is_three_days_ahead_does_no_harm_and_is_taken_over_when_it_dies()
    {
        var report = await KillSkewedNodeAsync();
        report.ShouldBeSound(minJobs: 5);
    }

    [Fact]
    public async Task A_build_that_judges_leases_by_its_own_clock_is_caught()
    {
        var report = await KillSkewedNodeAsync(BrokenBuilds.LeaseByLocalClock);
        Console.WriteLine(report);
        report.Breaks(Rule.EveryJobEnds).ShouldBeTrue($"The checker did not catch the broken build: {report}");
    }

    [Fact]
    public async Task The_lanes_of_a_killed_node_are_taken_over_within_the_lease_and_two_seconds()
    {
        await using var site = await PostgreSqlSite.CreateAsync(await postgreSql.Server);
        await using var round = await Round.StartAsync(site, Takeover.Options(Seed.Next()), Cancel);

        var times = await Takeover.MeasureAsync(round, site, kills: 3, Cancel);
        Console.WriteLine($"{times.Count} lanes were taken over, after {times[0].TotalSeconds:F2} to {times[^1].TotalSeconds:F2} s; the lease is {Takeover.Lease.TotalSeconds} s.");
        times[^1].ShouldBeLessThanOrEqualTo(Takeover.Limit);
        (await round.EndAsync(Cancel)).ShouldBeSound();
    }

    /// <summary>Kills the node with the wrong clock while it holds leases, and leaves it down.</summary>
    private async Task<RoundReport> KillSkewedNodeAsync(string breaks = "")
    {
        var skewed = new NodeOptions("ahead")
        {
            Settings = new Dictionary<string, string>(SkewedClock.ThreeDaysAhead) { [NodeProgram.Breaks] = breaks },
        };
        var options = new RoundOptions
        {
            Seed = Seed.Next(),
            Shape = new(MinRecords: 60),
            Nodes = [new("a"), skewed],
            Settings = new Dictionary<string, string> { [NodeProgram.ChunkDelay] = "00:00:00.030", ["Worker:Lease"] = "00:00:02" },
            StartsAgain = false,
            EndWithin = breaks.Length > 0 ? TimeSpan.FromSeconds(15) : TimeSpan.FromMinutes(1),
        };
        await using var site = await PostgreSqlSite.CreateAsync(await postgreSql.Server);
        await using var round = await Round.StartAsync(site, options, Cancel);
        (await Wait.UntilAsync(
            async () => await AppliedByAsync(site, "ahead") > 0 && await AppliedByAsync(site, "a") > 0, TimeSpan.FromSeconds(30)))
            .ShouldBeTrue("both nodes should have work");
        // Ids are made by the node's clock, so that they show it; the times of jobs are the database's, whoever accepts them.
        (await site.QueryAsync<bool>(
            "SELECT max(replace(id::text, '-', '')) > lpad(to_hex((extract(epoch FROM now() + interval '2 days') * 1000)::bigint), 12, '0') FROM jobs", Cancel))
            .ShouldBeTrue("no job has an id of the clock that is ahead");
        (await site.QueryAsync<bool>("SELECT max(created_at) < clock_timestamp() + interval '1 minute' FROM jobs", Cancel))
            .ShouldBeTrue("a job has the time of the clock that is ahead");
        await round.Cluster["ahead"].KillAsync();
        round.Kills++;
        return await round.EndAsync(Cancel);
    }

    private static Task<long> AppliedByAsync(PostgreSqlSite site, string node) =>
        site.QueryAsync<long>($"SELECT count(*) FROM applied_log WHERE node = '{node}'", Cancel);
}
