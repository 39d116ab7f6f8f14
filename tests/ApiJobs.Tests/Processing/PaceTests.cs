using ApiJobs.Jobs;
using ApiJobs.Operations;
using ApiJobs.Processing;

namespace ApiJobs.Tests.Processing;

public sealed class PaceTests
{
    private static readonly TimeSpan Target = TimeSpan.FromMilliseconds(25);

    [Fact]
    public void A_call_that_took_longer_than_a_quarter_slice_makes_the_next_smaller_and_the_other_way_round()
    {
        var size = Size();
        var first = size.MaxRecords;

        size.Adapt(first, TimeSpan.FromMilliseconds(40));
        size.MaxRecords.ShouldBe((int)(first * 25.0 / 40));
        size.Adapt(size.MaxRecords, TimeSpan.FromMilliseconds(1));
        size.MaxRecords.ShouldBe((int)(first * 25.0 / 40) * 2);
    }

    [Fact]
    public void One_slow_record_is_enough_to_make_groups_small()
    {
        var size = Size();

        size.Adapt(1, TimeSpan.FromMilliseconds(500));

        size.MaxRecords.ShouldBe(1);
    }

    [Fact]
    public void A_few_quick_records_say_nothing_about_many()
    {
        var size = Size();
        var first = size.MaxRecords;

        size.Adapt(1, Target / 2);

        size.MaxRecords.ShouldBe(first);
    }

    [Fact]
    public void A_coded_operation_begins_with_one_chunk_and_learns_for_all_slots()
    {
        var sizes = new GroupSizes(new WorkerOptions());
        var coded = new Coded();
        sizes.Of(coded).MaxRecords.ShouldBe(10);

        sizes.Of(coded).Adapt(10, TimeSpan.FromSeconds(5));

        sizes.Of(new Coded()).MaxRecords.ShouldBe(1);
    }

    [Fact]
    public void The_size_stays_within_its_bounds()
    {
        var size = Size(maxRecordsPerTransaction: 3_000);
        for (var i = 0; i < 20; i++)
            size.Adapt(size.MaxRecords, TimeSpan.FromTicks(1));
        size.MaxRecords.ShouldBe(3_000);
        size.Adapt(size.MaxRecords, TimeSpan.FromHours(1));
        size.MaxRecords.ShouldBe(1);
    }

    [Fact]
    public void A_running_job_is_estimated_from_its_own_progress()
    {
        var start = DateTimeOffset.UnixEpoch;
        var job = Job(total: 1_000) with { StartTime = start, Counts = new(0, 100, 0, 0) };

        new WorkPace().EstimateRemaining(job, start.AddSeconds(10)).ShouldBe(TimeSpan.FromSeconds(90));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1_000_000_000, 600)]
    public void An_estimate_is_at_least_a_second_and_at_most_ten_minutes(long total, int seconds) =>
        new WorkPace().EstimateRemaining(Job(total), DateTimeOffset.UnixEpoch).ShouldBe(TimeSpan.FromSeconds(seconds));

    [Fact]
    public void A_waiting_job_is_estimated_from_what_this_node_has_done_lately()
    {
        var pace = new WorkPace();
        for (var slice = 0; slice < 200; slice++)
            pace.Observe(1_000, TimeSpan.FromSeconds(1));

        pace.EstimateRemaining(Job(total: 100_000), DateTimeOffset.UnixEpoch).TotalSeconds.ShouldBeInRange(99, 101);
    }

    [Fact]
    public void Work_that_took_no_time_or_came_to_nothing_does_not_make_estimates_endless()
    {
        var pace = new WorkPace();
        pace.Observe(1_000, TimeSpan.Zero);
        for (var slice = 0; slice < 10_000; slice++)
            pace.Observe(0, TimeSpan.FromSeconds(1));

        pace.EstimateRemaining(Job(total: 5), DateTimeOffset.UnixEpoch).ShouldBe(TimeSpan.FromSeconds(5));
    }

    private static GroupSize Size(int maxRecordsPerTransaction = 10_000) => new(
        new() { Slice = 4 * Target, MaxRecordsPerTransaction = maxRecordsPerTransaction }, int.MaxValue);

    private sealed class Coded() : BulkOperation<object>("coded", "Coded", null!)
    {
        protected override Task ApplyAsync(
            IReadOnlyList<BulkRecord<object>> records, OperationContext context, CancellationToken cancellationToken) => Task.CompletedTask;
    }

    private static ApiJob Job(long total) => new()
    {
        Id = Guid.CreateVersion7(),
        CompanyId = Guid.CreateVersion7(),
        Type = "customer_case_bulk_update",
        Position = 1,
        TotalRecords = total,
        ChunkCount = 1,
        CreatedAt = DateTimeOffset.UnixEpoch,
        UpdatedAt = DateTimeOffset.UnixEpoch,
    };
}
