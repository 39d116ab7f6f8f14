using ApiJobs.Stores.Tests.Conformance;
using Npgsql;

namespace ApiJobs.Stores.Tests.Engine;

/// <summary>PostgreSQL's own time-outs, as an administrator or an operation sets them, in the middle of a coded operation.</summary>
public sealed class TimeoutsOfPostgreSqlTests(PostgreSqlStores stores) : EngineTests(stores)
{
    [Fact]
    public Task A_record_whose_statement_takes_too_long_fails_alone() =>
        ExpectOneFailsAsync("statement_timeout", (command, cancellationToken) =>
        {
            command.CommandText = "SELECT pg_sleep(600)";
            return command.ExecuteNonQueryAsync(cancellationToken);
        });

    [Fact]
    public Task A_record_that_leaves_the_transaction_idle_for_too_long_fails_alone() =>
        ExpectOneFailsAsync("idle_in_transaction_session_timeout", (command, cancellationToken) => command.Connection!.WaitAsync(cancellationToken));

    private async Task ExpectOneFailsAsync(string timeout, Func<NpgsqlCommand, CancellationToken, Task> hang)
    {
        FaultyOperation? operation = null;
        Offer(operation = new(async (records, context, cancellationToken) =>
        {
            foreach (var (_, content) in records)
            {
                operation!.Effect();
                if (content.In != "hang")
                    continue;
                await using var command = (NpgsqlCommand)context.CreateCommand($"SET LOCAL {timeout} = '100ms'");
                await command.ExecuteNonQueryAsync(cancellationToken);
                await hang(command, cancellationToken);
            }
        }));

        var job = await RunAsync("faulty_bulk_create", """{"id":"a"}""", """{"id":"b","in":"hang"}""", """{"id":"c"}""");

        (await OutcomesAsync(job)).ShouldBe("created failed:internal_error created");
    }
}
