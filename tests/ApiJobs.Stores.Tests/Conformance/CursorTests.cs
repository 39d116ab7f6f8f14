using System.Data.Common;
using ApiJobs.Storage;

namespace ApiJobs.Stores.Tests.Conformance;

/// <summary>The cursor moves in the transaction of the effects: that is what makes every record applied exactly once.</summary>
public abstract class CursorTests(StoreFixture stores) : StoreTests(stores)
{
    [Fact]
    public async Task Applying_a_chunk_moves_the_cursor_and_keeps_the_effects()
    {
        var job = await AcceptAsync(Company, 2, 1);
        var lease = await ClaimAsync();

        (await ApplyAsync(lease, (await ReadAheadAsync(lease))[0])).ShouldBeTrue();

        (await FindAsync(job)).NextChunk.ShouldBe(1);
        (await AppliedAsync(Company)).ShouldBe(RecordsOf(job).Take(2));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_was_applied_is_never_lost(bool crash)
    {
        var job = await AcceptAsync(Company, 2, 1);
        var lease = await ClaimAsync();
        await ApplyAsync(lease, await ReadAheadAsync(lease));
        var ended = await FindAsync(job);

        await (crash ? CrashAndRestartAsync() : RestartAsync());

        (await FindAsync(job)).ShouldBe(ended);
        (await AppliedAsync(Company)).ShouldBe(RecordsOf(job));
    }

    [Fact]
    public async Task Several_chunks_of_several_jobs_are_applied_together()
    {
        var jobs = new[] { await AcceptAsync(Company, 2, 1), await AcceptAsync(Company, 1), await AcceptAsync(Company, 3, 1) };
        var lease = await ClaimAsync();

        (await ApplyAsync(lease, (await ReadAheadAsync(lease)).SkipLast(1).ToList())).ShouldBeTrue();

        (await AppliedAsync(Company)).ShouldBe(RecordsOf(jobs).SkipLast(1));
        foreach (var (job, nextChunk, hasEnded) in jobs.Zip([2, 1, 1], [true, true, false]))
        {
            var found = await FindAsync(job);
            (found.NextChunk, found.HasEnded, found.Counts.Created).ShouldBe((nextChunk, hasEnded, found.TotalRecords - (hasEnded ? 0 : 1)));
        }
    }

    [Fact]
    public async Task Applying_gives_the_jobs_as_they_are_since()
    {
        var jobs = new[] { await AcceptAsync(Company, 2, 1), await AcceptAsync(Company, 1), await AcceptAsync(Company, 3, 1) };
        var lease = await ClaimAsync();
        var chunks = await ReadAheadAsync(lease);

        var first = await Store.ApplyAsync(lease, [chunks[0]], Effects([chunks[0]]), Cancel);
        first.ShouldBe([await FindAsync(jobs[0])]);
        IReadOnlyList<PendingChunk> rest = [.. chunks.Skip(1).SkipLast(1)];
        var then = await Store.ApplyAsync(lease, rest, Effects(rest), Cancel);

        then.ShouldBe([await FindAsync(jobs[0]), await FindAsync(jobs[1]), await FindAsync(jobs[2])]);
        then.Select(job => job.HasEnded).ShouldBe([true, true, false]);
    }

    [Fact]
    public async Task The_transaction_says_what_time_it_is()
    {
        await AcceptAsync(Company, 1);
        var lease = await ClaimAsync();
        var chunks = await ReadAheadAsync(lease);
        var now = default(DateTimeOffset);

        var job = (await Store.ApplyAsync(lease, chunks, (transaction, cancellationToken) =>
        {
            now = transaction.Now;
            return Effects(chunks)(transaction, cancellationToken);
        }, Cancel)).ShouldHaveSingleItem();

        now.Offset.ShouldBe(TimeSpan.Zero);
        now.ShouldBeInRange(job.CreatedAt, job.EndTime!.Value);
    }

    [Fact]
    public async Task A_stale_cursor_is_refused_and_nothing_is_done()
    {
        var job = await AcceptAsync(Company, 2, 1);
        var lease = await ClaimAsync();
        var chunks = await ReadAheadAsync(lease);
        (await ApplyAsync(lease, chunks[0])).ShouldBeTrue();

        await ExpectRefusalAsync(lease, chunks[0]);
        await ExpectRefusalAsync(lease, chunks);

        (await AppliedAsync(Company)).ShouldBe(RecordsOf(job).Take(2));
    }

    [Fact]
    public async Task A_chunk_ahead_of_the_cursor_is_refused()
    {
        await AcceptAsync(Company, 1, 1, 1);
        var lease = await ClaimAsync();
        var chunks = await ReadAheadAsync(lease);

        await ExpectRefusalAsync(lease, chunks[1]);
        await ExpectRefusalAsync(lease, chunks[2]);
    }

    [Fact]
    public async Task One_stale_job_among_several_refuses_them_all()
    {
        await AcceptAsync(Company, 1);
        var second = await AcceptAsync(Company, 1);
        var lease = await ClaimAsync();
        var chunks = await ReadAheadAsync(lease);
        (await ApplyAsync(lease, chunks[0])).ShouldBeTrue();

        await ExpectRefusalAsync(lease, chunks);

        (await FindAsync(second)).NextChunk.ShouldBe(0);
    }

    [Fact]
    public async Task An_ended_job_never_changes()
    {
        var job = await AcceptAsync(Company, 1, 1);
        var lease = await ClaimAsync();
        var chunks = await ReadAheadAsync(lease);
        (await ApplyAsync(lease, chunks)).ShouldBeTrue();
        await Database.PassTimeAsync(TimeSpan.FromDays(1));
        var ended = await FindAsync(job);
        ended.HasEnded.ShouldBeTrue();

        await ExpectRefusalAsync(lease, chunks);
        await ExpectRefusalAsync(lease, chunks[1]);
        await Store.AbandonUploadAsync(Company, job.Id, Cancel);
        await Store.SweepUploadsAsync(TimeSpan.Zero, Cancel);
        await Store.ReleaseLaneAsync(lease, fault: null, Cancel);

        (await FindAsync(job)).ShouldBe(ended);
        (await ResultsAsync(job)).Count.ShouldBe(2);
        (await AppliedAsync(Company)).ShouldBe(RecordsOf(job));
    }

    [Fact]
    public async Task Effects_that_throw_are_undone_and_their_exception_comes_through()
    {
        var job = await AcceptAsync(Company, 2, 1);
        var lease = await ClaimAsync();
        var chunks = await ReadAheadAsync(lease);
        var before = await Database.CountRowsAsync();
        var fault = new InvalidOperationException("The effects were made; then something broke.");

        var thrown = await Should.ThrowAsync<InvalidOperationException>(Store.ApplyAsync(lease, chunks, async (transaction, cancellationToken) =>
        {
            await Effects(chunks)(transaction, cancellationToken);
            throw fault;
        }, Cancel));

        thrown.ShouldBeSameAs(fault);
        (await FindAsync(job)).ShouldBe(job);
        (await ResultsAsync(job)).ShouldAllBe(result => result.Outcomes.IsEmpty);
        (await Database.CountRowsAsync()).ShouldBe(before, ignoreOrder: true);
        (await ApplyAsync(lease, chunks)).ShouldBeTrue();
        (await AppliedAsync(Company)).ShouldBe(RecordsOf(job));
    }

    [Fact]
    public async Task Outcomes_that_do_not_match_the_chunks_are_refused()
    {
        var job = await AcceptAsync(Company, 2, 1);
        var lease = await ClaimAsync();
        var chunks = await ReadAheadAsync(lease);

        await Should.ThrowAsync<Exception>(ApplyAsync(lease, chunks, AllCreated(chunks[0])));
        await Should.ThrowAsync<Exception>(ApplyAsync(lease, chunks, AllCreated(chunks[0]), AllCreated(chunks[0])));

        (await FindAsync(job)).ShouldBe(job);
        (await ApplyAsync(lease, chunks)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_crash_before_the_commit_leaves_nothing()
    {
        var job = await AcceptAsync(Company, 2);
        var lease = await ClaimAsync();
        var chunks = await ReadAheadAsync(lease);

        await Record.ExceptionAsync(() => Store.ApplyAsync(lease, chunks, async (transaction, cancellationToken) =>
        {
            var outcomes = await Effects(chunks)(transaction, cancellationToken);
            await CrashAndRestartAsync();
            return outcomes;
        }, Cancel));

        (await FindAsync(job)).ShouldBe(job);
        (await AppliedAsync(Company)).ShouldBeEmpty();
        (await ApplyAsync(lease, chunks)).ShouldBeTrue();
        (await AppliedAsync(Company)).ShouldBe(RecordsOf(job));
    }

    [Fact]
    public async Task Nobody_sees_effects_before_they_are_committed()
    {
        var job = await AcceptAsync(Company, 1);
        var lease = await ClaimAsync();
        var chunks = await ReadAheadAsync(lease);

        (await Store.ApplyAsync(lease, chunks, async (transaction, cancellationToken) =>
        {
            var outcomes = await Effects(chunks)(transaction, cancellationToken);
            (await AppliedAsync(Company)).ShouldBeEmpty();
            (await FindAsync(job)).ShouldBe(job);
            return outcomes;
        }, Cancel)).ShouldNotBeEmpty();
    }

    [Fact]
    public async Task Applying_can_be_cancelled_before_it_begins()
    {
        var job = await AcceptAsync(Company, 1);
        var lease = await ClaimAsync();
        var chunks = await ReadAheadAsync(lease);

        await Should.ThrowAsync<OperationCanceledException>(Store.ApplyAsync(lease, chunks, Effects(chunks), new(canceled: true)));

        (await FindAsync(job)).ShouldBe(job);
        (await AppliedAsync(Company)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Cancelling_while_the_effects_are_made_applies_all_or_nothing()
    {
        var job = await AcceptAsync(Company, 3);
        var lease = await ClaimAsync();
        var chunks = await ReadAheadAsync(lease);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(Cancel);

        var applied = false;
        try
        {
            applied = (await Store.ApplyAsync(lease, chunks, async (transaction, _) =>
            {
                var outcomes = await Effects(chunks)(transaction, Cancel);
                await stopping.CancelAsync();
                return outcomes;
            }, stopping.Token)).Count > 0;
        }
        catch (OperationCanceledException)
        {
        }

        (await FindAsync(job)).HasEnded.ShouldBe(applied);
        (await AppliedAsync(Company)).Count.ShouldBe(applied ? 3 : 0);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_operations_own_statements_are_part_of_the_transaction(bool commit)
    {
        await Database.CreateTableAsync("own_effect", "record");
        await AcceptAsync(Company, 1);
        var lease = await ClaimAsync();
        var chunks = await ReadAheadAsync(lease);

        var applying = Store.ApplyAsync(lease, chunks, async (transaction, cancellationToken) =>
        {
            await using var command = transaction.Connection.CreateCommand();
            command.Transaction = transaction.Transaction;
            command.CommandText = "INSERT INTO own_effect (record) VALUES (@record)";
            AddParameter(command, "@record", "first");
            await command.ExecuteNonQueryAsync(cancellationToken);
            return commit ? [AllCreated(chunks[0])] : throw new InvalidOperationException("No.");
        }, Cancel);

        if (commit)
            (await applying).ShouldNotBeEmpty();
        else
            await Should.ThrowAsync<InvalidOperationException>(applying);
        (await Database.CountRowsAsync())["own_effect"].ShouldBe(commit ? 1 : 0);
    }

    private async Task ExpectRefusalAsync(LaneLease lease, params IReadOnlyList<PendingChunk> chunks)
    {
        var before = await Database.CountRowsAsync();
        var called = false;

        var applied = await Store.ApplyAsync(lease, chunks, (transaction, cancellationToken) =>
        {
            called = true;
            return Effects(chunks)(transaction, cancellationToken);
        }, Cancel);

        applied.ShouldBeEmpty();
        called.ShouldBeFalse();
        (await Database.CountRowsAsync()).ShouldBe(before, ignoreOrder: true);
    }

    private static void AddParameter(DbCommand command, string name, object value)
    {
        var parameter = command.CreateParameter();
        parameter.ParameterName = name;
        parameter.Value = value;
        command.Parameters.Add(parameter);
    }
}
