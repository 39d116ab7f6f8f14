using ApiJobs.Jobs;
using ApiJobs.Stores.Tests.Conformance;

namespace ApiJobs.Stores.Tests.Engine;

/// <summary>A record on which an operation crashes fails alone, wherever that is: while prepared, while applied, while its result is read.</summary>
public abstract class CrashingRecordTests(StoreFixture stores) : EngineTests(stores)
{
    [Theory]
    [InlineData("key")]
    [InlineData("check")]
    [InlineData("apply")]
    public async Task A_record_on_which_a_part_of_its_operation_crashes_fails_alone(string part)
    {
        Offer(new FaultyOperation());

        var job = await RunAsync("faulty_bulk_create", """{"id":"a"}""", $$"""{"id":"b","in":"{{part}}"}""", """{"id":"c"}""");

        (await OutcomesAsync(job)).ShouldBe("created failed:internal_error created");
        job.Status.ShouldBe(ApiJobStatus.Completed);
        (await MessageAsync(job)).ShouldContain("could not be processed because of an internal error");
    }

    [Fact]
    public async Task The_results_of_records_that_crash_show_what_is_stored()
    {
        Offer(new FaultyOperation());
        var job = await RunAsync("faulty_bulk_create", """{"id":"a","in":"check"}""", """{"id":"b","in":"key"}""", """{"id":"c"}""");

        var results = await ResultsAsync(job);

        results.Select(result => result.Key).ShouldBe(["a", null, "c"]);
        results.Take(2).ShouldAllBe(result => result.Errors.Single().Code == "internal_error");
    }

    [Fact]
    public async Task Records_that_crash_while_they_are_prepared_are_told_of_once_a_chunk()
    {
        Offer(new FaultyOperation());

        await RunAsync("faulty_bulk_create", [.. Enumerable.Repeat("""{"in":"check"}""", 10)]);

        Log.Of(202).ShouldHaveSingleItem().Text.ShouldContain("10 records");
    }

    [Fact]
    public async Task A_crash_of_the_process_s_memory_is_no_fault_of_a_record()
    {
        var isShort = true;
        Offer(new FaultyOperation((_, _, _) =>
        {
            var wasShort = isShort;
            isShort = false;
            return wasShort ? throw new InsufficientMemoryException("For once.") : Task.CompletedTask;
        }));

        var job = await RunAsync("faulty_bulk_create", """{"id":"a"}""");

        (await OutcomesAsync(job)).ShouldBe("created");
        Log.Of(300).ShouldHaveSingleItem();
        Log.Of(201).ShouldBeEmpty();
    }
}
