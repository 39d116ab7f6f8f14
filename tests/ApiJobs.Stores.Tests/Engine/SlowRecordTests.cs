using ApiJobs.Jobs;
using ApiJobs.Storage;
using ApiJobs.Stores.Tests.Broken;
using ApiJobs.Stores.Tests.Conformance;

namespace ApiJobs.Stores.Tests.Engine;

/// <summary>Records that take longer than the database waits: tried in smaller and smaller groups, then given up, whether or not the transaction survives.</summary>
public abstract class SlowRecordTests(StoreFixture stores) : EngineTests(stores)
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Records_that_hang_are_given_up_after_three_chances_and_the_others_are_applied(bool losesTransaction)
    {
        Offer(Hanging());

        var job = (await RunToEndAsync(new GivingUp(Store, losesTransaction), await SendAsync(
            "faulty_bulk_create", """{"id":"a"}""", """{"id":"b","in":"hang"}""", """{"id":"c"}""", """{"id":"d","in":"hang"}""", """{"id":"e"}""")))[0];

        (await OutcomesAsync(job)).ShouldBe("created failed:internal_error created failed:internal_error created");
        job.Status.ShouldBe(ApiJobStatus.Completed);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Two_records_that_hang_have_seven_effects_outside_the_transaction_and_no_more(bool losesTransaction)
    {
        var operation = Hanging();
        Offer(operation);

        var job = (await RunToEndAsync(new GivingUp(Store, losesTransaction), await SendAsync("faulty_bulk_create", """{"in":"hang"}""", """{"in":"hang"}""")))[0];

        (await OutcomesAsync(job)).ShouldBe("failed:internal_error failed:internal_error");
        // One when they were together, and three chances for each.
        operation.EffectCount.ShouldBe(7);
    }

    [Fact]
    public async Task A_job_before_a_record_that_hangs_is_not_held_up_by_it()
    {
        Offer(Hanging());
        var first = await SendAsync("faulty_bulk_create", """{"id":"a"}""");
        var second = await SendAsync("customer_case_bulk_create", """{"title":"t"}""");
        var hanging = await SendAsync("faulty_bulk_create", """{"in":"hang"}""");
        var last = await SendAsync("customer_case_bulk_create", """{"title":"u"}""");

        var jobs = await RunToEndAsync(new GivingUp(Store, losesTransaction: true), first, second, hanging, last);

        jobs.Select(job => job.Counts.Failed).ShouldBe([0, 0, 1, 0]);
    }

    private static FaultyOperation Hanging()
    {
        FaultyOperation? operation = null;
        return operation = new((records, _, _) =>
        {
            foreach (var (_, content) in records)
            {
                operation!.Effect();
                if (content.In == "hang")
                    throw new HangException();
            }

            return Task.CompletedTask;
        });
    }

    private sealed class HangException : Exception;

    /// <summary>A database that gives up what takes too long, and perhaps the whole transaction with it.</summary>
    private sealed class GivingUp(IWholeStore sound, bool losesTransaction) : StoreDecorator(sound)
    {
        public override StoreFault Classify(Exception exception) =>
            exception is HangException ? StoreFault.TooSlow : base.Classify(exception);

        public override Task<IReadOnlyList<ApiJob>> ApplyAsync(
            LaneLease lease, IReadOnlyList<PendingChunk> chunks, ApplyChunks apply, CancellationToken cancellationToken) =>
            base.ApplyAsync(lease, chunks, losesTransaction ? (it, token) => apply(new Losing(it), token) : apply, cancellationToken);
    }

    /// <summary>A transaction that is lost when a savepoint is to be rolled back to.</summary>
    private sealed class Losing(IChunkTransaction sound) : ChunkTransactionDecorator(sound)
    {
        public override async Task InSavepointAsync(Func<Task> work, CancellationToken cancellationToken)
        {
            try
            {
                await base.InSavepointAsync(work, cancellationToken);
            }
            catch (HangException)
            {
                throw new StoreUnavailableException("The connection is gone.");
            }
        }
    }
}
