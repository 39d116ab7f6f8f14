using ApiJobs.Intake;
using ApiJobs.Jobs;
using ApiJobs.Records;
using ApiJobs.Stores.Tests.Conformance;

namespace ApiJobs.Stores.Tests.Engine;

/// <summary>A job of which too many records fail ends with the chunk that shows it, whatever is applied together with it.</summary>
public abstract class MaxFailedTests(StoreFixture stores) : EngineTests(stores)
{
    private const string Good = """{"title":"t"}""";
    private const string Bad = "{}";

    [Theory]
    [InlineData(1)]
    [InlineData(10)]
    [InlineData(25)]
    [InlineData(100)]
    [InlineData(10_000)]
    public async Task It_ends_with_the_same_chunk_whatever_the_size_of_groups(int maxRecordsPerTransaction)
    {
        WorkerOptions.MaxRecordsPerTransaction = maxRecordsPerTransaction;
        var dice = new Random(maxRecordsPerTransaction);
        foreach (var maxFailed in new[] { "1", "3", "17", "1%", "10%", "30%", "100%" })
        {
            List<bool> isGood = [.. Enumerable.Range(0, 200).Select(_ => dice.Next(10) > 1)];
            var job = await SendAsync(maxFailed, isGood);

            var ended = (await RunToEndAsync(Store, job))[0];

            var bound = job.MaxFailed.ShouldNotBeNull();
            var endsWith = Enumerable.Range(1, 20).FirstOrDefault(chunks => isGood.Take(10 * chunks).Count(good => !good) > bound, 20);
            var processed = isGood.Take(10 * endsWith).ToList();
            var counts = new OutcomeCounts(processed.Count(good => good), 0, 0, processed.Count(good => !good));
            (ended.NextChunk, ended.Counts).ShouldBe((endsWith, counts), $"max_failed={maxFailed}, groups of {maxRecordsPerTransaction}");
            ended.Failure.ShouldBe(counts.Failed > bound ? JobFailure.TooManyFailures(counts.Failed, bound) : null);
            ended.MessageEntryCount.ShouldBe(counts.Failed);
            (await ResultsAsync(ended)).Select(result => result.Outcome).ShouldBe(
                [.. processed.Select(good => good ? RecordOutcome.Created : RecordOutcome.Failed), .. Enumerable.Repeat(RecordOutcome.Unprocessed, (int)ended.Unprocessed)]);
            await ExpectRowsAsync(ended);
        }
    }

    [Theory]
    [InlineData("1", false)]
    [InlineData("2", true)]
    public async Task The_bound_is_how_many_may_fail(string maxFailed, bool completes)
    {
        var job = (await RunToEndAsync(Store, await SendAsync(maxFailed, [true, false, false, true])))[0];

        // The chunk in which it came to pass is kept as a whole.
        job.Counts.ShouldBe(new OutcomeCounts(2, 0, 0, 2));
        job.Status.ShouldBe(completes ? ApiJobStatus.Completed : ApiJobStatus.Failed);
    }

    [Theory]
    [InlineData("5%", 199, 9)]
    [InlineData("1%", 99, 0)]
    [InlineData("100%", 7, 7)]
    [InlineData("12", 7, 12)]
    public async Task A_percentage_is_of_all_records_and_rounded_down(string maxFailed, int records, long expected) =>
        (await SendAsync(maxFailed, [.. Enumerable.Repeat(true, records)])).MaxFailed.ShouldBe(expected);

    [Fact]
    public async Task The_lane_goes_on_with_the_next_job_and_what_was_read_ahead_is_forgotten()
    {
        WorkerOptions.MaxRecordsPerTransaction = 20;
        var given = await SendAsync("1", [.. Enumerable.Repeat(false, 500)]);
        var next = await SendAsync("1", [.. Enumerable.Repeat(true, 100), false]);
        var last = await SendAsync("2", [false, false, false, true]);

        var ended = await RunToEndAsync(Store, given, next, last);

        ended.Select(job => job.Status).ShouldBe([ApiJobStatus.Failed, ApiJobStatus.Completed, ApiJobStatus.Failed]);
        ended.Select(job => job.Counts.Processed).ShouldBe([10, 101, 4]);
        // Nobody else worked here.
        Log.Of(303).ShouldBeEmpty();
    }

    [Fact]
    public async Task Records_that_fail_only_when_they_are_written_count_too()
    {
        Offer(new FaultyOperation((records, _, _) => records.Any(record => record.Content.In == "apply")
            ? throw new InvalidCastException("The effects crashed.")
            : Task.CompletedTask));
        await using var reader = new ListReader([.. Enumerable.Range(0, 60).Select(index => index % 10 == 3 ? $$"""{"id":"{{index}}","in":"apply"}""" : $$"""{"id":"{{index}}"}""")]);
        FailureBound.TryParse("2", out var bound).ShouldBeTrue();
        using var engine = Engine();
        var job = await engine.AcceptAsync(new(Company, Operation("faulty_bulk_create"), JobOptions.None) { MaxFailed = bound }, reader, Cancel);

        var ended = (await RunToEndAsync(Store, job))[0];

        (ended.Status, ended.Counts).ShouldBe((ApiJobStatus.Failed, new OutcomeCounts(27, 0, 0, 3)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("+1")]
    [InlineData("1.5")]
    [InlineData("0%")]
    [InlineData("101%")]
    [InlineData("5 %")]
    [InlineData("%")]
    [InlineData("%5")]
    [InlineData("5%%")]
    [InlineData("five")]
    [InlineData("99999999999999999999")]
    [InlineData("٣")]
    public void What_is_no_bound_is_not_read_as_one(string text) => FailureBound.TryParse(text, out _).ShouldBeFalse();

    private async Task<ApiJob> SendAsync(string maxFailed, IReadOnlyList<bool> isGood)
    {
        FailureBound.TryParse(maxFailed, out var bound).ShouldBeTrue();
        await using var reader = new ListReader([.. isGood.Select(good => good ? Good : Bad)]);
        using var engine = Engine();
        return await engine.AcceptAsync(
            new(Company, Operation("customer_case_bulk_create"), JobOptions.None) { MaxFailed = bound }, reader, Cancel);
    }

    // Every record that was created has its row, and no other has.
    private async Task ExpectRowsAsync(ApiJob job)
    {
        foreach (var result in await ResultsAsync(job))
        {
            if (result.Outcome == RecordOutcome.Created)
                (await Rows.FindRowAsync(Cases, Company, Guid.Parse(result.Key!), Cancel)).ShouldNotBeNull();
        }

        _created += job.Counts.Created;
        (await Rows.ListRowsAsync(Cases, Company, new() { Limit = 100_000 }, Cancel)).Count.ShouldBe((int)_created);
    }

    private long _created;
}
