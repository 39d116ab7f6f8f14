using ApiJobs.Storage;
using Npgsql;

namespace ApiJobs.Stores.Tests.PostgreSql;

/// <summary>Nodes that remove old jobs at the same time.</summary>
public sealed class PostgreSqlRetentionTests(PostgreSqlDatabases databases) : PostgreSqlStoreTest(databases)
{
    private readonly Guid _company = Guid.CreateVersion7();

    [Fact]
    public async Task A_job_stays_as_long_as_it_has_chunks_even_if_another_node_has_removed_the_first_ones_meanwhile()
    {
        const int chunks = 150, removedByTheOther = 100;
        var job = NewJob(_company, totalRecords: chunks) with { Id = Guid.CreateVersion7(Time.GetUtcNow()) };
        for (var index = 0; index < chunks - 1; index++)
            await Store.AppendChunkAsync(_company, job.Id, ChunkOf(index, index, "{}"), Token);
        await Store.SealJobAsync(job, ChunkOf(chunks - 1, chunks - 1, "{}"), Token);
        var lease = (await Store.ClaimLaneAsync(Lease, Token)).ShouldNotBeNull();
        while (await Store.ReadAheadAsync(lease, null, chunks, Token) is { Count: > 0 } ahead)
            (await ApplyAsync(lease, ahead)).ShouldBeTrue();

        await using var another = new NpgsqlConnection(ConnectionString);
        await another.OpenAsync(Token);
        await using var transaction = await another.BeginTransactionAsync(Token);
        await using (var delete = new NpgsqlCommand("DELETE FROM chunks WHERE chunk_index < $1", another, transaction) { Parameters = { new() { Value = removedByTheOther } } })
            await delete.ExecuteNonQueryAsync(Token);
        var removing = Store.RemoveEndedAsync(_company, TimeSpan.Zero, EndedPart.Jobs, Token);
        await UntilSomebodyWaitsForALockAsync();
        await transaction.CommitAsync(Token);

        await removing;
        (await Store.FindJobAsync(_company, job.Id, Token)).ShouldNotBeNull();
        while (await Store.RemoveEndedAsync(_company, TimeSpan.Zero, EndedPart.Jobs, Token)) { }
        (await QueryAsync<long>("SELECT (SELECT count(*) FROM jobs) + (SELECT count(*) FROM chunks) + (SELECT count(*) FROM chunk_results)")).ShouldBe(0);
    }
}
