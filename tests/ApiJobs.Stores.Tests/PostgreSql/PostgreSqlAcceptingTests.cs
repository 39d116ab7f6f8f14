using ApiJobs.Jobs;
using ApiJobs.Storage;
using Npgsql;

namespace ApiJobs.Stores.Tests.PostgreSql;

/// <summary>Accepting in groups: one transaction for many callers, and each caller's own answer.</summary>
public sealed class PostgreSqlAcceptingTests(PostgreSqlDatabases databases) : PostgreSqlStoreTest(databases)
{
    private readonly Guid _company = Guid.CreateVersion7();

    [Fact]
    public async Task What_arrives_together_is_sealed_in_few_transactions_at_consecutive_positions()
    {
        const int count = 300;
        var other = Guid.CreateVersion7();
        var jobs = await Task.WhenAll(Enumerable.Range(0, count).Select(i => SealAsync(i % 3 == 0 ? other : _company)));

        jobs.Where(job => job.CompanyId == _company).Select(job => job.Position).Order().ShouldBe(Enumerable.Range(1, 200).Select(i => (long)i));
        jobs.Where(job => job.CompanyId == other).Select(job => job.Position).Order().ShouldBe(Enumerable.Range(1, 100).Select(i => (long)i));
        (await QueryAsync<long>("SELECT count(DISTINCT xmin::text) FROM jobs")).ShouldBeLessThan(count / 3);
        (await QueryAsync<long>("SELECT count(*) FROM lanes WHERE has_work")).ShouldBe(2);
    }

    [Fact]
    public async Task A_request_that_the_database_refuses_fails_alone()
    {
        var bad = NewJob(_company) with { Type = "no\0text" };
        var good = Enumerable.Range(0, 20).Select(_ => SealAsync(_company)).ToList();
        var refused = Store.SealJobAsync(bad, ChunkOf(0, 0, "{}"), Token);
        good.AddRange(Enumerable.Range(0, 20).Select(_ => SealAsync(_company)));

        (await Should.ThrowAsync<PostgresException>(refused)).SqlState.ShouldBe("22021");
        (await Task.WhenAll(good)).Select(job => job.Position).Order().ShouldBe(Enumerable.Range(1, 40).Select(i => (long)i));
    }

    [Fact]
    public async Task However_often_the_database_refuses_requests_the_connections_stay_good_for_others()
    {
        const int rounds = 20, others = 5;
        for (var round = 0; round < rounds; round++)
        {
            var bad = NewJob(_company) with { Type = "no\0text" };
            var refused = Store.SealJobAsync(bad, ChunkOf(0, 0, "{}"), Token);
            var good = Enumerable.Range(0, others).Select(_ => SealAsync(_company)).ToList();
            (await Should.ThrowAsync<PostgresException>(refused)).SqlState.ShouldBe("22021");
            await Task.WhenAll(good);
        }

        (await QueryAsync<long>("SELECT count(*) FROM jobs")).ShouldBe(rounds * others);
    }

    [Fact]
    public async Task Sealing_again_gives_the_same_job_and_takes_no_position()
    {
        var job = NewJob(_company, totalRecords: 2);
        (await Store.AppendChunkAsync(_company, job.Id, ChunkOf(0, 0, "{}"), Token)).ShouldBeTrue();
        var first = await Store.SealAsync(job, ChunkOf(1, 1, "{}"), Token);
        var second = await Store.SealAsync(job, ChunkOf(1, 1, "{}"), Token);

        second.ShouldBe(first);
        (await SealAsync(_company)).Position.ShouldBe(2);
    }

    [Fact]
    public async Task Many_seals_of_one_job_make_one_job()
    {
        var job = NewJob(_company);
        var another = OpenStore();
        var answers = await Task.WhenAll(Enumerable.Range(0, 10)
            .Select(i => (i % 2 == 0 ? Store : another).SealAsync(job, ChunkOf(0, 0, "{}"), Token)));

        answers.Distinct().ShouldHaveSingleItem().Position.ShouldBe(1);
        (await QueryAsync<long>("SELECT next_position FROM lane_tails")).ShouldBe(2);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_job_takes_its_key_or_parent_also_if_who_had_it_is_removed_while_it_is_sealed(bool isKey)
    {
        var parent = (await SealAsync(_company)).Id;
        var first = await Store.SealAsync(Claiming(), ChunkOf(0, 0, "{}"), Token);
        // Between asking who has it and sealing, everybody waits for the lane's tail.
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(Token);
        await using var transaction = await connection.BeginTransactionAsync(Token);
        await using (var hold = new NpgsqlCommand("SELECT 1 FROM lane_tails FOR UPDATE", connection, transaction))
            await hold.ExecuteNonQueryAsync(Token);
        var second = Claiming();
        var sealing = Store.SealJobAsync(second, ChunkOf(0, 0, "{}"), Token);
        await UntilSomebodyWaitsForALockAsync();

        await ExecuteAsync($"DELETE FROM {(isKey ? "idempotency_keys" : "job_children")}; DELETE FROM jobs WHERE id = '{first.Id}'");
        await transaction.CommitAsync(Token);

        (await sealing).ShouldBeOfType<SealResult.Sealed>().Job.Id.ShouldBe(second.Id);
        (await QueryAsync<Guid>($"SELECT {(isKey ? "job_id FROM idempotency_keys" : "child_id FROM job_children")}")).ShouldBe(second.Id);
        (await QueryAsync<long>("SELECT count(*) FROM chunks WHERE job_id NOT IN (SELECT id FROM jobs)")).ShouldBe(1, "only the removed job's");

        NewJob Claiming() => NewJob(_company) with
        {
            Origin = isKey ? new() { ClientId = "client", IdempotencyKey = "key" } : new() { ParentId = parent },
            Fingerprint = new byte[32],
            Descent = isKey ? null : JobDescent.Retry,
        };
    }

    [Fact]
    public async Task Chunks_are_appended_in_order_each_once()
    {
        var job = NewJob(_company, totalRecords: 3);
        foreach (var index in new[] { 0, 0, 1, 1 })
            (await Store.AppendChunkAsync(_company, job.Id, ChunkOf(index, index, "{}"), Token)).ShouldBeTrue();
        foreach (var index in new[] { 0, 3 })
            await Should.ThrowAsync<InvalidOperationException>(Store.AppendChunkAsync(_company, job.Id, ChunkOf(index, index, "{}"), Token));
        await Should.ThrowAsync<InvalidOperationException>(Store.SealJobAsync(job, ChunkOf(3, 3, "{}"), Token));
        (await QueryAsync<long>("SELECT count(*) FROM chunks")).ShouldBe(2);
        (await Store.SealAsync(job, ChunkOf(2, 2, "{}"), Token)).ChunkCount.ShouldBe(3);
    }

    [Fact]
    public async Task A_seal_that_was_cancelled_before_its_turn_writes_nothing()
    {
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(Store.SealJobAsync(NewJob(_company), ChunkOf(0, 0, "{}"), cancelled.Token));
        (await QueryAsync<long>("SELECT count(*) FROM jobs")).ShouldBe(0);
    }
}
