using ApiJobs.Records;
using ApiJobs.Resources;
using ApiJobs.Sqlite;
using ApiJobs.Storage;

namespace ApiJobs.Stores.Tests.Sqlite;

/// <summary>The machine's clock is set, back and ahead, while a store runs and while it does not.</summary>
public sealed class SqliteClockTests : IDisposable
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1), Day = TimeSpan.FromDays(1);
    private readonly SqliteFolder _folder = new();
    private readonly Guid _company = Guid.CreateVersion7();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Times_go_on_when_the_clock_is_set_back(bool restart)
    {
        var store = await _folder.OpenAsync();
        var before = await ApplyAsync(store, row: 1);
        _folder.Clock.Set(-Hour);
        if (restart)
        {
            await store.DisposeAsync();
            store = await _folder.OpenAsync();
        }

        await using var closing = store;
        _folder.Time.Advance(TimeSpan.FromSeconds(1));
        var after = await ApplyAsync(store, row: 2);

        after.CreatedAt.ShouldBeGreaterThan(before.EndTime!.Value);
        after.StartTime!.Value.ShouldBeGreaterThanOrEqualTo(after.CreatedAt);
        after.EndTime!.Value.ShouldBeGreaterThanOrEqualTo(after.StartTime.Value);
        after.UpdatedAt.ShouldBe(after.EndTime.Value);
        // Whoever asks for what changed since he asked last misses nothing.
        var changed = await store.Rows.ListRowsAsync(
            SqliteFolder.Cases, _company, new() { Limit = 10, UpdatedAfter = before.EndTime.Value + TimeSpan.FromMilliseconds(1) }, Stop);
        changed.ShouldHaveSingleItem().UpdatedAt.ShouldBe(after.StartTime.Value);
    }

    [Fact]
    public async Task Time_goes_on_at_once_after_a_clock_that_was_ahead_is_put_right()
    {
        await using var store = await _folder.OpenAsync();
        _folder.Clock.Set(Hour);
        var first = await ApplyAsync(store, row: 1);
        _folder.Clock.Set(-Hour);
        _folder.Time.Advance(TimeSpan.FromSeconds(1));

        (await ApplyAsync(store, row: 2)).CreatedAt.ShouldBe(first.EndTime!.Value + TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task A_clock_that_jumps_ahead_makes_no_job_old()
    {
        await using var store = await _folder.OpenAsync();
        var job = await ApplyAsync(store, row: 1);
        _folder.Clock.Set(40 * Day);

        (await store.Upkeep.RemoveEndedAsync(_company, 30 * Day, EndedPart.Jobs, Stop)).ShouldBeFalse();

        _folder.Time.Advance(30 * Day + TimeSpan.FromSeconds(1));
        (await store.Upkeep.RemoveEndedAsync(_company, 30 * Day, EndedPart.Records, Stop)).ShouldBeTrue();
        (await store.Jobs.FindJobAsync(_company, job.Id, Stop)).ShouldNotBeNull();
    }

    [Theory]
    [InlineData(40)]
    [InlineData(-40)]
    public async Task A_clock_that_is_set_sweeps_no_upload_and_keeps_none(int days)
    {
        await using var store = await _folder.OpenAsync();
        var before = await AppendAsync(store);
        _folder.Clock.Set(days * Day);
        var after = await AppendAsync(store);
        (await store.Upkeep.SweepUploadsAsync(Hour, Stop)).ShouldBe(0);

        _folder.Time.Advance(Hour + TimeSpan.FromSeconds(1));

        (await store.Upkeep.SweepUploadsAsync(Hour, Stop)).ShouldBe(2);
        (await store.Jobs.AppendChunkAsync(_company, before, SqliteFolder.Chunk(1, 1), Stop)).ShouldBeFalse();
        (await store.Jobs.AppendChunkAsync(_company, after, SqliteFolder.Chunk(1, 1), Stop)).ShouldBeFalse();
    }

    private async Task<Guid> AppendAsync(SqliteStore store)
    {
        var job = Guid.CreateVersion7();
        (await store.Jobs.AppendChunkAsync(_company, job, SqliteFolder.Chunk(), Stop)).ShouldBeTrue();
        return job;
    }

    private async Task<Jobs.ApiJob> ApplyAsync(SqliteStore store, int row)
    {
        var job = SqliteFolder.NewJob(_company) with { Id = Guid.CreateVersion7(_folder.Time.GetUtcNow() - 80 * Day) };
        await store.Jobs.SealJobAsync(job, SqliteFolder.Chunk(), Stop);
        var lease = (await store.Lanes.ClaimLaneAsync("node", Hour, Stop)).ShouldNotBeNull();
        var chunks = await store.Lanes.ReadAheadAsync(lease, null, 10, Stop);
        var applied = await store.Lanes.ApplyAsync(lease, chunks, async (transaction, cancellationToken) =>
        {
            var values = new string?[SqliteFolder.Cases.Fields.Count];
            values[0] = $"R{row}";
            var made = new ResourceRow(Guid.CreateVersion7(), values, transaction.Now, transaction.Now);
            await transaction.WriteRowsAsync(SqliteFolder.Cases, _company, [new(made, IsNew: true, 0)], cancellationToken);
            return [SqliteFolder.Outcome(chunks[0], RecordOutcome.Created)];
        }, Stop);
        await store.Lanes.ReleaseLaneAsync(lease, null, Stop);
        return applied.ShouldHaveSingleItem();
    }
}
