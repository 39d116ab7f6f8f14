using ApiJobs.Jobs;

namespace ApiJobs.Tests.Jobs;

public sealed class ApiJobTests
{
    private static readonly DateTimeOffset Then = DateTimeOffset.UnixEpoch;

    [Theory]
    [InlineData(false, false, false, ApiJobStatus.Pending)]
    [InlineData(true, false, false, ApiJobStatus.Processing)]
    [InlineData(true, true, false, ApiJobStatus.Completed)]
    [InlineData(true, true, true, ApiJobStatus.Failed)]
    [InlineData(false, true, true, ApiJobStatus.Failed)]
    public void The_status_follows_from_the_times_and_the_failure(bool started, bool ended, bool failed, ApiJobStatus status)
    {
        var job = NewJob() with
        {
            StartTime = started ? Then : null,
            EndTime = ended ? Then : null,
            Failure = failed ? new("cancelled", "Cancelled.") : null,
        };

        job.Status.ShouldBe(status);
        job.HasEnded.ShouldBe(status is ApiJobStatus.Completed or ApiJobStatus.Failed);
    }

    [Fact]
    public void The_counts_always_add_up_to_the_records_accepted()
    {
        var job = NewJob() with { Counts = new(Created: 1, Updated: 2, Unchanged: 3, Failed: 1) };

        (job.Counts.Processed + job.Unprocessed).ShouldBe(job.TotalRecords);
        job.Counts.Effected.ShouldBe(3);
        job.Counts.NotEffected.ShouldBe(4);
    }

    [Fact]
    public void Outcomes_are_counted_and_an_unprocessed_one_is_refused()
    {
        OutcomeCounts.Of([1, 2, 2, 3, 4, 4, 4]).ShouldBe(new OutcomeCounts(1, 2, 1, 3));
        Should.Throw<ArgumentOutOfRangeException>(() => OutcomeCounts.Of([1, 0]));
        Should.Throw<ArgumentOutOfRangeException>(() => OutcomeCounts.Of([5]));
    }

    [Fact]
    public void Options_survive_being_stored_and_no_options_store_nothing()
    {
        JobOptions.None.ToJson().ShouldBeNull();
        var options = new JobOptions { KeyField = "ref" };
        options.ToJson().ShouldBe("""{"key_field":"ref"}""");
        JobOptions.FromJson(options.ToJson()).ShouldBe(options);
        JobOptions.FromJson(null).ShouldBe(JobOptions.None);
    }

    private static ApiJob NewJob() => new()
    {
        Id = Guid.CreateVersion7(),
        CompanyId = Guid.CreateVersion7(),
        Type = "customer_case_bulk_update",
        Position = 1,
        TotalRecords = 10,
        ChunkCount = 1,
        CreatedAt = Then,
        UpdatedAt = Then,
    };
}
