using System.Text;
using ApiJobs.Jobs;
using ApiJobs.Processing;
using ApiJobs.Records;
using ApiJobs.Storage;

namespace ApiJobs.Tests.Processing;

public sealed class JobMessageWriterTests
{
    private const int MaxBytes = 2_048;

    [Fact]
    public void Entries_are_whole_and_stay_under_the_bound_with_room_for_the_last_line()
    {
        var writer = new JobMessageWriter(MaxBytes);
        writer.Begin(Pending(Job()));
        for (var index = 0; index < 100; index++)
            writer.Add("Case", Unchanged(index));

        var (text, entryCount) = writer.End();

        entryCount.ShouldBeInRange(5, 15);
        Encoding.UTF8.GetByteCount(text).ShouldBeLessThan(MaxBytes - 500);
        text.ShouldEndWith("\n---------------------------");
        var job = Job() with { Counts = new(0, 0, 100, 0), MessageEntryCount = entryCount };
        Encoding.UTF8.GetByteCount(JobMessageText.Render(job, text, "/engine/api/api-jobs/43dbbc35-d114-4da5-a1c0-6abbea6d7bf5/records"))
            .ShouldBeLessThan(MaxBytes);
    }

    [Theory]
    [InlineData(0, 3)]
    [InlineData(-1, 2)]
    public void Entries_fill_the_bound_to_the_byte_and_not_one_byte_more(int more, int entries)
    {
        // Of the bound, 512 bytes are kept for the last line.
        const int Reserved = 512;
        var entryBytes = Encoding.UTF8.GetByteCount(JobMessageText.Entry("Fäll", null, 0, []));
        var writer = new JobMessageWriter(Reserved + (3 * entryBytes) + more);
        writer.Begin(Pending(Job()));
        for (var index = 0; index < 9; index++)
            writer.Add("Fäll", Unchanged(index));

        writer.End().EntryCount.ShouldBe(entries);
    }

    [Fact]
    public void After_an_entry_that_did_not_fit_no_smaller_one_is_added()
    {
        var writer = new JobMessageWriter(MaxBytes);
        writer.Begin(Pending(Job()));
        writer.Add("Case", Failed(0, MaxBytes));
        writer.Add("Case", Unchanged(1));

        writer.End().ShouldBe(("", 0));
    }

    [Fact]
    public void The_state_of_a_job_is_carried_from_chunk_to_chunk()
    {
        var job = Job();
        var writer = new JobMessageWriter(MaxBytes);
        writer.Begin(Pending(job));
        writer.Add("Case", Failed(0, MaxBytes));
        writer.End();

        writer.Begin(Pending(job));
        writer.Add("Case", Unchanged(1));

        writer.End().EntryCount.ShouldBe(0);
    }

    [Fact]
    public void A_job_whose_stored_message_is_closed_gets_no_more_entries()
    {
        var writer = new JobMessageWriter(MaxBytes);
        writer.Begin(Pending(Job() with { Counts = new(0, 0, 5, 0), MessageEntryCount = 4 }));
        writer.Add("Case", Unchanged(5));

        writer.End().EntryCount.ShouldBe(0);
    }

    [Fact]
    public void An_attempt_that_is_rolled_back_leaves_the_state_as_it_was()
    {
        var job = Job();
        var writer = new JobMessageWriter(MaxBytes);
        var attempt = writer.Fork();
        attempt.Begin(Pending(job));
        attempt.Add("Case", Failed(0, MaxBytes));

        var again = writer.Fork();
        again.Begin(Pending(job));
        again.Add("Case", Unchanged(0));

        again.End().EntryCount.ShouldBe(1);
    }

    private static JobRecord Unchanged(long index)
    {
        var record = new JobRecord(Guid.CreateVersion7(), index, default);
        record.Unchanged();
        return record;
    }

    private static JobRecord Failed(long index, int messageBytes)
    {
        var record = new JobRecord(Guid.CreateVersion7(), index, default);
        for (var bytes = messageBytes; bytes > 0; bytes -= JobRecord.MaxMessageLength)
            record.Fail("wrong", new('x', Math.Min(bytes, JobRecord.MaxMessageLength)));
        return record;
    }

    private static PendingChunk Pending(ApiJob job) => new(job, new(0, 0, 1, default));

    private static ApiJob Job() => new()
    {
        Id = Guid.CreateVersion7(),
        CompanyId = Guid.CreateVersion7(),
        Type = "customer_case_bulk_update",
        Position = 1,
        TotalRecords = 100,
        ChunkCount = 1,
        CreatedAt = DateTimeOffset.UnixEpoch,
        UpdatedAt = DateTimeOffset.UnixEpoch,
    };
}
