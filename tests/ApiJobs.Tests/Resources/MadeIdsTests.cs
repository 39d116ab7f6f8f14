using ApiJobs.Resources;

namespace ApiJobs.Tests.Resources;

public sealed class MadeIdsTests
{
    private static readonly Guid Job = Guid.CreateVersion7(DateTimeOffset.UnixEpoch.AddYears(56));

    [Fact]
    public void The_same_record_always_gets_the_same_id() =>
        MadeIds.Make(Job, 41).ShouldBe(MadeIds.Make(Job, 41));

    [Fact]
    public void An_id_is_a_UUID_v7_with_the_job_s_time()
    {
        var id = MadeIds.Make(Job, 123_456_789);

        id.Version.ShouldBe(7);
        (id.Variant & 0b1100).ShouldBe(0b1000);
        id.ToString()[..13].ShouldBe(Job.ToString()[..13]);
    }

    [Fact]
    public void The_ids_of_a_job_are_distinct_and_in_input_order()
    {
        long[] indexes = [0, 1, 2, 999, 1_048_575, 1_048_576, 4_294_967_295];

        var ids = indexes.Select(index => MadeIds.Make(Job, index).ToString()).ToList();

        ids.ShouldBe(ids.Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Two_jobs_of_the_same_millisecond_make_different_ids()
    {
        var jobs = Enumerable.Range(0, 10_000).Select(_ => Guid.CreateVersion7(DateTimeOffset.UnixEpoch.AddYears(56)));

        jobs.Select(job => MadeIds.Make(job, 0)).Distinct().Count().ShouldBe(10_000);
    }
}
