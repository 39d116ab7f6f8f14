using ApiJobs.Jobs;
using ApiJobs.Records;

namespace ApiJobs.Tests.Jobs;

public sealed class JobMessageTextTests
{
    private const string SeedMessage =
        "---------------------------\nCase ID: 4528a261-917d-4cbc-939e-7ea48cffca69 failed with the following errors:\n\nCase does not exist or record already updated.\n------------------------------------------------------\nCase ID: 53c3a84d-8eef-4015-8bc6-499f8eccd161 failed with the following errors:\n\nCase does not exist or record already updated.\n---------------------------";

    [Fact]
    public void Two_entries_make_the_seed_s_message_to_the_byte()
    {
        var notFound = new RecordError(RecordErrorCodes.NotFound, "Case does not exist.", "/id");

        var text = JobMessageText.Entry("Case", "4528a261-917d-4cbc-939e-7ea48cffca69", 3, [notFound])
            + JobMessageText.Entry("Case", "53c3a84d-8eef-4015-8bc6-499f8eccd161", 9, []);

        text.ShouldBe(SeedMessage);
    }

    [Fact]
    public void Each_error_has_a_line_of_its_own() =>
        JobMessageText.Entry("Customer", "k", 0, [new("a", "First.", "/a"), new("b", "Second.", "/b")])
            .ShouldBe("---------------------------\nCustomer ID: k failed with the following errors:\n\nFirst.\nSecond.\n---------------------------");

    [Fact]
    public void A_record_without_a_key_is_named_by_its_index() =>
        JobMessageText.Entry("Case", null, 17, [new("a", "Wrong.", "")]).ShouldContain("\nRecord #17 failed with the following errors:\n");

    [Fact]
    public void A_message_that_holds_every_entry_is_just_its_entries() =>
        JobMessageText.Render(Job(notEffected: 2, entries: 2), SeedMessage, "/records").ShouldBe(SeedMessage);

    [Fact]
    public void A_message_that_is_full_ends_with_how_many_more_there_are_and_where() =>
        JobMessageText.Render(Job(notEffected: 1_002, entries: 2), "entries", "/engine/api/api-jobs/1/records")
            .ShouldBe("entries\n1000 more records were not effected; the full list is at /engine/api/api-jobs/1/records");

    [Fact]
    public void A_failed_job_says_why_on_the_last_line() =>
        JobMessageText.Render(Job(notEffected: 0, entries: 0) with { Failure = new("cancelled", "Cancelled.") }, "", "/records")
            .ShouldBe("Cancelled. 2000 records were not processed.");

    private static ApiJob Job(long notEffected, long entries) => new()
    {
        Id = Guid.CreateVersion7(),
        CompanyId = Guid.CreateVersion7(),
        Type = "customer_case_bulk_update",
        Position = 1,
        TotalRecords = 2_000,
        ChunkCount = 2,
        CreatedAt = DateTimeOffset.UnixEpoch,
        UpdatedAt = DateTimeOffset.UnixEpoch,
        Counts = new(0, 0, 0, notEffected),
        MessageEntryCount = entries,
    };
}
