using ApiJobs.Crash.Tests.Load;
using ApiJobs.Crash.Tests.Rounds;
using ApiJobs.Crash.Tests.Sites;
using Npgsql;

namespace ApiJobs.Crash.Tests.Faults;

/// <summary>Ends the nodes' connections inside PostgreSQL, where they hurt: in the middle of a statement or of a commit.</summary>
internal static class Backends
{
    private const string TerminateOne = """
        SELECT pg_terminate_backend(pid)
        FROM (
            SELECT pid FROM pg_stat_activity
            WHERE datname = current_database() AND application_name = $1 AND (state <> 'idle' OR random() < 0.05)
            ORDER BY random()
            LIMIT 1) unlucky
        """;

    // Their commit is on the disk, and its answer is not sent.
    private const string TerminateCommitting = """
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = $1 AND wait_event = 'SyncRep'
        """;

    /// <summary>Terminates backends, at random and in the middle of commits, which are held open for it.</summary>
    /// <param name="site">A site whose server nobody else uses.</param>
    /// <param name="dice">Says how long each phase takes.</param>
    /// <param name="duringCommit">How many times to hold commits and terminate who is in the middle of one.</param>
    /// <param name="within">The most time it may take.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    /// <returns>How many were terminated in all.</returns>
    public static async Task<int> TerminateAsync(
        PostgreSqlSite site, Dice dice, int duringCommit, TimeSpan within, CancellationToken cancellationToken)
    {
        await using var connection = (NpgsqlConnection)await site.OpenAsync(writes: false, cancellationToken);
        int terminated = 0, committing = 0;
        await Wait.UntilAsync(
            async () =>
            {
                // A standby that there is not: every commit waits for it from now on.
                await HoldCommitsAsync("nosuch");
                var hit = 0;
                await Wait.UntilAsync(async () => (hit = await TerminateAsync(TerminateCommitting)) > 0, TimeSpan.FromSeconds(5));
                (terminated, committing) = (terminated + hit, committing + Math.Min(hit, 1));
                await HoldCommitsAsync("");
                // In between they work, and are cut wherever they are.
                for (var cut = 0; cut < 3; cut++)
                {
                    await Task.Delay(dice.Milliseconds(50, 200), TimeProvider.System, cancellationToken);
                    terminated += await TerminateAsync(TerminateOne);
                }

                return committing >= duringCommit;
            },
            within);
        committing.ShouldBeGreaterThanOrEqualTo(duringCommit, "too few backends were found in the middle of a commit");
        return terminated;

        async Task HoldCommitsAsync(string standby)
        {
            await site.ExecuteAsync($"ALTER SYSTEM SET synchronous_standby_names = '{standby}'", cancellationToken);
            await site.ExecuteAsync("SELECT pg_reload_conf()", cancellationToken);
        }

        async Task<int> TerminateAsync(string sql)
        {
            await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = PostgreSqlSite.NodesApplicationName } } };
            var count = 0;
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
                count += reader.GetBoolean(0) ? 1 : 0;
            return count;
        }
    }
}
