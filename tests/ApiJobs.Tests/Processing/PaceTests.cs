using ApiJobs.Jobs;
using ApiJobs.Processing;

namespace ApiJobs.Tests.Processing;

public sealed class PaceTests
{
    [Fact]
    public void A_group_that_took_longer_than_a_quarter_slice_makes_the_next_smaller_and_the_other_way_round()
    {
        var size = new GroupSize(new WorkerOptions { Slice = TimeSpan.FromMilliseconds(100) });
        var first = size.MaxRecords;

        size.Adapt(first, TimeSpan.FromMilliseconds(40));
        size.MaxRecords.ShouldBe((int)(first * 25.0 / 40));
        size.Adapt(size.MaxRecords, TimeSpan.FromMilliseconds(1));
        size.MaxRecords.ShouldBe((int)(first * 25.0 / 40) * 2);
    }

    [Fact]
    public void The_size_stays_within_its_bounds()
    {
        var size = new GroupSize(new WorkerOptions { MaxRecordsPerTransaction = 3_000 });
        for (var i = 0; i < 20; i++)
            size.Adapt(size.MaxRecords, TimeSpan.FromTicks(1));
        size.MaxRecords.ShouldBe(3_000);
        for (var i = 0; i < 40; i++)
            size.Adapt(size.MaxRecords, TimeSpan.FromMinutes(1));
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
