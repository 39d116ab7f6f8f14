using System.Text;
using ApiJobs.Intake;
using ApiJobs.Jobs;
using ApiJobs.Processing;
using ApiJobs.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace ApiJobs.Stores.Tests.Conformance;

/// <summary>What rehearsals note: theirs alone, as sure as the cursor, and gone when they have ended.</summary>
public abstract class RehearsalNoteTests(StoreFixture stores) : StoreTests(stores)
{
    private const RehearsalNoteKind Row = RehearsalNoteKind.Row;

    private static readonly Guid A = new("00000000-0000-7000-8000-00000000000a"), B = new("00000000-0000-7000-8000-00000000000b");

    [Fact]
    public async Task A_note_is_read_as_it_was_written_last()
    {
        var job = await AcceptAsync(Company, 1);
        byte[] anyBytes = [.. Enumerable.Range(0, 256).Select(value => (byte)value)];
        await WithNotesAsync(Company, async notes =>
        {
            await notes.WriteAsync(Company, job.Id, Row, [new(A, anyBytes), Note(B, "")], Cancel);
            (await notes.ReadAsync(Company, job.Id, Row, [A], Cancel))[A].ToArray().ShouldBe(anyBytes);
            await notes.WriteAsync(Company, job.Id, Row, [Note(A, "again")], Cancel);
        });

        (await ReadAsync(job, Company, Row)).ShouldBe("a:again b:");
    }

    [Fact]
    public async Task A_note_is_added_only_where_there_is_none()
    {
        var job = await AcceptAsync(Company, 1);
        await WithNotesAsync(Company, async notes =>
        {
            (await notes.AddAsync(Company, job.Id, Row, [Note(A, "first")], Cancel)).ShouldBeEmpty();
            (await notes.AddAsync(Company, job.Id, Row, [Note(B, "new"), Note(A, "second")], Cancel)).ShouldBe([A]);
            (await notes.AddAsync(Company, job.Id, Row, [], Cancel)).ShouldBeEmpty();
        });

        (await ReadAsync(job, Company, Row)).ShouldBe("a:first b:new");
    }

    [Fact]
    public async Task Notes_are_told_apart_by_company_job_and_kind()
    {
        var job = await AcceptAsync(Company, 1);
        await WithNotesAsync(Company, notes => notes.WriteAsync(Company, job.Id, Row, [Note(A, "row")], Cancel));
        await WithNotesAsync(Company, notes => notes.AddAsync(Company, job.Id, RehearsalNoteKind.Value, [Note(A, "value")], Cancel));
        await WithNotesAsync(Company, notes => notes.WriteAsync(Company, Guid.CreateVersion7(), Row, [Note(A, "other job")], Cancel));
        await WithNotesAsync(OtherCompany, notes => notes.AddAsync(OtherCompany, job.Id, Row, [Note(A, "other company")], Cancel));

        (await ReadAsync(job, Company, Row)).ShouldBe("a:row");
        (await ReadAsync(job, Company, RehearsalNoteKind.Value)).ShouldBe("a:value");
        (await ReadAsync(job, OtherCompany, Row)).ShouldBe("a:other company");
    }

    [Fact]
    public async Task What_is_rolled_back_is_not_noted()
    {
        var job = await AcceptAsync(Company, 1);
        var before = await Database.CountRowsAsync();
        await WithTransactionAsync(Company, async transaction =>
        {
            var failed = transaction.InSavepointAsync(
                async () =>
                {
                    await transaction.RehearsalNotes.WriteAsync(Company, job.Id, Row, [Note(A, "lost")], Cancel);
                    throw new InvalidOperationException();
                },
                Cancel);
            await Should.ThrowAsync<InvalidOperationException>(failed);
            (await transaction.RehearsalNotes.ReadAsync(Company, job.Id, Row, [A], Cancel)).ShouldBeEmpty();
        });

        (await ReadAsync(job, Company, Row)).ShouldBe("");
        var after = await Database.CountRowsAsync();
        (after["rehearsals"], after["rehearsal_notes"]).ShouldBe((before["rehearsals"], before["rehearsal_notes"]));
    }

    [Theory]
    [InlineData("completed")]
    [InlineData("ended otherwise")]
    [InlineData("gone")]
    public async Task Notes_stay_until_their_job_has_ended_however_it_did(string end)
    {
        var chunks = ChunksOf(1, 1);
        var job = await UploadAsync(Store, NewJob(Company, chunks) with { Id = Guid.CreateVersion7(Now) }, chunks);
        await WithNotesAsync(Company, notes => notes.WriteAsync(Company, job.Id, Row, [Note(A, "a"), Note(B, "b")], Cancel));

        (await Store.SweepRehearsalsAsync(Cancel)).ShouldBeFalse();
        (await ReadAsync(job, Company, Row)).ShouldBe("a:a b:b");

        if (end == "ended otherwise")
            (await Store.EndJobAsync(Company, job.Id, new JobFailure("cancelled", "Cancelled."), Cancel)).ShouldBe(EndResult.Ended);
        else
            await DrainAsync(Store);
        if (end == "gone")
        {
            await Database.PassTimeAsync(TimeSpan.FromDays(2));
            while (await Store.RemoveEndedAsync(Company, TimeSpan.FromDays(1), EndedPart.Jobs, Cancel))
            {
            }

            (await Store.FindJobAsync(Company, job.Id, Cancel)).ShouldBeNull();
        }

        (await Store.SweepRehearsalsAsync(Cancel)).ShouldBeTrue();
        await ExpectNothingLeftAsync();
    }

    [Fact]
    public async Task Many_notes_go_in_small_steps_and_those_of_running_rehearsals_are_passed_over()
    {
        var running = await AcceptAsync(Company, 1);
        await WithNotesAsync(Company, notes => notes.WriteAsync(Company, running.Id, Row, [Note(A, "kept")], Cancel));
        var ended = await AcceptAsync(OtherCompany, 1);
        await WithNotesAsync(OtherCompany, notes => notes.WriteAsync(
            OtherCompany, ended.Id, Row, [.. Enumerable.Range(0, 12_000).Select(_ => Note(Guid.CreateVersion7(), "x"))], Cancel));
        (await Store.EndJobAsync(OtherCompany, ended.Id, new JobFailure("cancelled", "Cancelled."), Cancel)).ShouldBe(EndResult.Ended);

        (await Store.SweepRehearsalsAsync(Cancel)).ShouldBeTrue();
        (await Database.CountRowsAsync())["rehearsal_notes"].ShouldBeInRange(6_000, 11_999);
        await RestartAsync();
        await SweepAsync();

        (await ReadAsync(running, Company, Row)).ShouldBe("a:kept");
        (await Database.CountRowsAsync())["rehearsals"].ShouldBe(1);
    }

    [Fact]
    public async Task Housekeeping_sweeps_them_whether_or_not_anything_is_to_be_removed_otherwise()
    {
        await WithNotesAsync(Company, notes => notes.WriteAsync(Company, Guid.CreateVersion7(), Row, [Note(A, "a")], Cancel));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var running = new Housekeeper(Store, new IntakeOptions(), new(), new(Database.Clock, NullLogger.Instance), Database.Clock, NullLogger.Instance).RunAsync(stop.Token);

        while ((await Database.CountRowsAsync())["rehearsals"] > 0)
            Database.Clock.Advance(TimeSpan.FromMilliseconds(1));

        await stop.CancelAsync();
        await running;
        await ExpectNothingLeftAsync();
    }

    private static RehearsalNote Note(Guid key, string content) => new(key, Encoding.UTF8.GetBytes(content));

    private Task WithNotesAsync(Guid company, Func<IRehearsalNotes, Task> work) => WithTransactionAsync(company, transaction => work(transaction.RehearsalNotes));

    /// <summary>In the transaction of another job, which ends with it.</summary>
    private async Task WithTransactionAsync(Guid company, Func<IChunkTransaction, Task> work)
    {
        var lane = Guid.CreateVersion7().ToString();
        var other = await AcceptAsync(Store, company, lane, 1);
        var lease = new LaneLease(company, lane, Guid.CreateVersion7());
        var chunks = await ReadAheadAsync(lease);
        chunks.ShouldHaveSingleItem().Job.Id.ShouldBe(other.Id);
        await Store.ApplyAsync(lease, chunks, async (transaction, _) =>
        {
            await work(transaction);
            return [AllCreated(chunks[0])];
        }, Cancel);
    }

    private async Task<string> ReadAsync(ApiJob job, Guid company, RehearsalNoteKind kind)
    {
        var text = "";
        await WithNotesAsync(company, async notes => text = string.Join(
            ' ', (await notes.ReadAsync(company, job.Id, kind, [A, B, Guid.CreateVersion7()], Cancel))
                .OrderBy(note => note.Key).Select(note => $"{note.Key.ToString()[^1]}:{Encoding.UTF8.GetString(note.Value.Span)}")));
        return text;
    }

    private async Task SweepAsync()
    {
        while (await Store.SweepRehearsalsAsync(Cancel))
        {
        }
    }

    private async Task ExpectNothingLeftAsync()
    {
        await SweepAsync();
        var left = await Database.CountRowsAsync();
        (left["rehearsals"], left["rehearsal_notes"]).ShouldBe((0, 0));
    }
}
