using ApiJobs.Crash.Tests.Load;
using ApiJobs.Crash.Tests.Rounds;
using ApiJobs.Crash.Tests.Sites;
using Npgsql;

namespace ApiJobs.Crash.Tests.Faults;

/// <summary>Ends the nodes' connections inside PostgreSQL, where they hurt: in the middle of a statement or of a commit.</summary>
internal static class Backends
{
    private const string TerminateOne = """
        SELECT query ILIKE 'commit%' AND state = 'active', pg_terminate_backend(pid)
        FROM (
            SELECT pid, query, state FROM pg_stat_activity
            WHERE datname = current_database() AND application_name = $1 AND (state <> 'idle' OR random() < 0.05)
            ORDER BY (query ILIKE 'commit%' AND state = 'active') AND random() < 0.7 DESC, random()
            LIMIT 1) unlucky
        """;

    /// <summary>Makes commits wait before they flush, so that they are often found in the middle; for the connections opened from now on.</summary>
    public static Task SlowDownCommitsAsync(PostgreSqlSite site, CancellationToken cancellationToken) =>
        site.ExecuteAsync(
            $"ALTER DATABASE {site.DatabaseName} SET commit_delay = 20000; ALTER DATABASE {site.DatabaseName} SET commit_siblings = 0", cancellationToken);

    /// <summary>Terminates backends at random until so many were hit during their commit.</summary>
    /// <returns>How many were terminated in all.</returns>
    public static async Task<int> TerminateAtRandomAsync(
        PostgreSqlSite site, Dice dice, int duringCommit, TimeSpan within, CancellationToken cancellationToken)
    {
        await using var connection = (NpgsqlConnection)await site.OpenAsync(writes: false, cancellationToken);
        int terminated = 0, committing = 0;
        await Wait.UntilAsync(
            async () =>
            {
                await Task.Delay(dice.Milliseconds(0, 40), TimeProvider.System, cancellationToken);
                await using var command = new NpgsqlCommand(TerminateOne, connection) { Parameters = { new() { Value = PostgreSqlSite.NodesApplicationName } } };
                await using var reader = await command.ExecuteReaderAsync(cancellationToken);
                if (await reader.ReadAsync(cancellationToken))
                {
                    terminated++;
                    committing += reader.GetBoolean(0) ? 1 : 0;
                }

                return committing >= duringCommit;
            },
            within);
        committing.ShouldBeGreaterThanOrEqualTo(duringCommit, "too few backends were found in the middle of a commit");
        return terminated;
    }
}
