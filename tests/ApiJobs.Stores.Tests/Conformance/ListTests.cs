using ApiJobs.Jobs;
using ApiJobs.Records;
using ApiJobs.Storage;

namespace ApiJobs.Stores.Tests.Conformance;

/// <summary>Lists of jobs: newest first, all filters together, a bounded piece at a time.</summary>
public abstract class ListTests(StoreFixture stores) : StoreTests(stores)
{
    private static readonly JobFailure Cancelled = new("cancelled", "The test says so.");
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task Jobs_are_listed_newest_first_as_they_are()
    {
        var jobs = new List<ApiJob>();
        for (var count = 0; count < 5; count++)
        {
            jobs.Add(await AcceptAsync(Store, Company, count % 2 == 0 ? "" : "imports", 1));
            Database.Clock.Advance(Minute);
        }

        await AcceptAsync(OtherCompany, 1);
        await DrainAsync(Store);

        var page = await ListAsync(new());

        page.Next.ShouldBeNull();
        Ids(page).ShouldBe(Enumerable.Reverse(jobs).Select(job => job.Id));
        foreach (var listed in page.Jobs)
            listed.Job.ShouldBe(await FindAsync(listed.Job));
        (await Store.ListJobsAsync(Guid.CreateVersion7(), new(), Cancel)).Jobs.ShouldBeEmpty();
    }

    [Fact]
    public async Task Jobs_of_the_same_time_are_listed_by_their_ids_and_none_twice()
    {
        var jobs = await Task.WhenAll(Enumerable.Range(0, 40).Select(count => AcceptAsync(Store, Company, $"lane {count % 3}", 1)));

        var walked = await WalkAsync(new() { Limit = 7 });

        walked.ShouldBe(jobs.OrderByDescending(job => job.CreatedAt).ThenByDescending(job => job.Id).Select(job => job.Id));
    }

    [Fact]
    public async Task New_jobs_between_two_pages_move_nothing()
    {
        var jobs = new List<Guid>();
        for (var count = 0; count < 6; count++)
        {
            jobs.Add((await AcceptAsync(Company, 1)).Id);
            Database.Clock.Advance(Minute);
        }

        var first = await ListAsync(new() { Limit = 2 });
        await AcceptAsync(Company, 1);
        var second = await ListAsync(new() { Limit = 2, After = first.Next });
        await AcceptAsync(Company, 1);
        var third = await ListAsync(new() { Limit = 2, After = second.Next });

        Ids(first).Concat(Ids(second)).Concat(Ids(third)).ShouldBe(Enumerable.Reverse(jobs));
        third.Next.ShouldBeNull();
    }

    [Theory]
    [InlineData(0, 4)]
    [InlineData(1, 3)]
    [InlineData(4, 0)]
    public async Task The_first_time_is_inclusive_and_the_last_exclusive(int after, int expected)
    {
        var times = new List<DateTimeOffset>();
        for (var count = 0; count < 4; count++)
        {
            times.Add((await AcceptAsync(Company, 1)).CreatedAt);
            Database.Clock.Advance(Minute);
        }

        times.Add(times[^1].AddTicks(TimeSpan.TicksPerMicrosecond));
        (await ListAsync(new() { CreatedAfter = times[after] })).Jobs.Count.ShouldBe(expected);
        (await ListAsync(new() { CreatedBefore = times[after] })).Jobs.Count.ShouldBe(4 - expected);
        (await ListAsync(new() { CreatedAfter = times[after], CreatedBefore = times[after] })).Jobs.ShouldBeEmpty();
        (await WalkAsync(new() { CreatedAfter = times[0], CreatedBefore = times[^1], Limit = 1 })).Count.ShouldBe(4);
    }

    [Fact]
    public async Task Times_may_lie_anywhere()
    {
        await AcceptAsync(Company, 1);
        foreach (var time in new[] { DateTimeOffset.MinValue, DateTimeOffset.MaxValue })
        {
            (await ListAsync(new() { CreatedAfter = time })).Jobs.Count.ShouldBe(time == DateTimeOffset.MinValue ? 1 : 0);
            (await ListAsync(new() { CreatedBefore = time })).Jobs.Count.ShouldBe(time == DateTimeOffset.MinValue ? 0 : 1);
            (await ListAsync(new() { After = new(time, Guid.AllBitsSet) })).Jobs.Count.ShouldBe(time == DateTimeOffset.MinValue ? 0 : 1);
        }
    }

    // Jobs in every state, of two types and clients, with and without failures: each filter, alone and with others, finds what
    // looking at all jobs finds.
    [Fact]
    public async Task Every_filter_and_any_of_them_together_find_exactly_the_jobs_that_match()
    {
        var jobs = await MixAsync();
        var parent = jobs.Select(job => job.Origin.ParentId).First(id => id is not null);

        JobQuery[] states = [new(), .. Enum.GetValues<ApiJobStatus>().Select(status => new JobQuery { Status = status })];
        var found = new HashSet<int>();
        foreach (var state in states)
            foreach (var type in new[] { null, "sample_bulk_create", "sample_bulk_update", "no_such_type" })
                foreach (var client in new[] { null, "importer", "Importer" })
                    foreach (var hasFailed in new bool?[] { null, true, false })
                        foreach (var dryRun in new bool?[] { null, true, false })
                            foreach (var parentId in new[] { null, parent })
                            {
                                var query = state with { Type = type, ClientId = client, HasFailed = hasFailed, DryRun = dryRun, ParentId = parentId, Limit = 3 };
                                var expected = jobs.Where(query.Matches).OrderByDescending(job => job.CreatedAt).ThenByDescending(job => job.Id).Select(job => job.Id).ToList();
                                (await WalkAsync(query)).ShouldBe(expected, query.ToString());
                                found.Add(expected.Count);
                            }

        found.Count.ShouldBeGreaterThan(5);
    }

    [Fact]
    public async Task The_status_of_a_listed_job_is_that_of_the_moment()
    {
        var job = await AcceptAsync(Company, 1, 1);
        await ExpectOnlyAsync(ApiJobStatus.Pending);

        var lease = await ClaimAsync();
        await ApplyAsync(lease, (await ReadAheadAsync(lease))[0]);
        await ExpectOnlyAsync(ApiJobStatus.Processing);

        await ApplyAsync(lease, await ReadAheadAsync(lease));
        await ExpectOnlyAsync(ApiJobStatus.Completed);

        async Task ExpectOnlyAsync(ApiJobStatus expected)
        {
            foreach (var status in Enum.GetValues<ApiJobStatus>())
                Ids(await ListAsync(new() { Status = status })).ShouldBe(status == expected ? [job.Id] : [], $"{status}");
        }
    }

    [Fact]
    public async Task Unfinished_jobs_of_several_lanes_are_found_however_many_have_ended_around_them()
    {
        var old = await AcceptAsync(Store, Company, "slow", 1);
        Database.Clock.Advance(Minute);
        for (var count = 0; count < 20; count++)
            await AcceptAsync(Store, Company, "fast", 1);
        var lease = await ClaimAsync();
        while (lease.Lane != "fast")
            lease = await ClaimAsync();
        while (await ReadAheadAsync(lease) is { Count: > 0 } chunks)
            await ApplyAsync(lease, chunks);
        await Store.ReleaseLaneAsync(lease, fault: null, Cancel);
        Database.Clock.Advance(Minute);
        var young = await AcceptAsync(Store, Company, "fast", 1);

        (await WalkAsync(new() { Status = ApiJobStatus.Pending })).ShouldBe([young.Id, old.Id]);
        (await WalkAsync(new() { Status = ApiJobStatus.Processing })).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_company_without_unfinished_jobs_has_none_to_list()
    {
        (await ListAsync(new() { Status = ApiJobStatus.Pending })).ShouldBeEquivalentTo(new JobPage([], null));
        await AcceptAsync(Company, 1);
        await DrainAsync(Store);
        (await ListAsync(new() { Status = ApiJobStatus.Pending })).Jobs.ShouldBeEmpty();
        (await ListAsync(new() { Status = ApiJobStatus.Processing })).Jobs.ShouldBeEmpty();
    }

    // A client that sends much and fails rarely must not make a page read all of it.
    [Fact]
    public async Task A_page_looks_at_a_bounded_number_of_jobs_and_says_where_to_go_on()
    {
        var old = await AcceptAsync(Company, 1);
        await DrainAsync(Store);
        Database.Clock.Advance(Minute);
        const int cancelled = JobPage.MaxLookedAt + 10;
        await Task.WhenAll(Enumerable.Range(0, cancelled).Select(_ => AcceptAsync(Company, 1)));
        var lease = await ClaimAsync();
        while (await Store.ReadAheadAsync(lease, null, 500, Cancel) is { Count: > 0 } chunks)
            await ApplyAsync(lease, chunks, [.. chunks.Select(chunk => AllCreated(chunk) with { Failure = Cancelled })]);

        var query = new JobQuery { Status = ApiJobStatus.Completed };
        var first = await ListAsync(query);
        first.Jobs.ShouldBeEmpty();
        first.Next.ShouldNotBeNull();
        var second = await ListAsync(query with { After = first.Next });
        Ids(second).ShouldBe([old.Id]);
        second.Next.ShouldBeNull();
        (await WalkAsync(new() { Status = ApiJobStatus.Failed, Limit = 100 })).Count.ShouldBe(cancelled);
    }

    [Fact]
    public async Task A_list_shows_the_beginning_of_each_message_of_the_jobs_own_moment()
    {
        var (many, one, none) = (await AcceptAsync(Company, [.. Enumerable.Repeat(1, 40)]), await AcceptAsync(Company, 1), await AcceptAsync(Company, 1));
        var entries = Enumerable.Range(0, 40).Select(index => JobMessageText.Entry("Fall", $"Ä{index}", index, [])).ToArray();
        var lease = await ClaimAsync();
        var chunks = await ReadAheadAsync(lease);
        await ApplyAsync(lease, chunks.Take(39).ToList(), [.. entries.Take(39).Select(Unchanged)]);

        Starts(await ListAsync(new()))[many.Id].ShouldBe(string.Concat(entries.Take(39))[..Starts(await ListAsync(new()))[many.Id].Length]);
        Starts(await ListAsync(new()))[many.Id].Length.ShouldBeGreaterThan(ListedJob.MessageBytes);
        await ApplyAsync(lease, [chunks[39], chunks[40], chunks[41]], Unchanged(entries[39]), Unchanged("€" + new string('x', 70_000)), AllCreated(chunks[41]));

        var starts = Starts(await ListAsync(new()));
        starts[one.Id].ShouldStartWith("€xxx");
        starts[one.Id].Length.ShouldBeInRange(ListedJob.MessageBytes, 2 * ListedJob.MessageBytes);
        starts[none.Id].ShouldBe("");

        static ChunkOutcome Unchanged(string entry) => new(new[] { (byte)RecordOutcome.Unchanged }, default, entry, 1);
        static Dictionary<Guid, string> Starts(JobPage page) => page.Jobs.ToDictionary(job => job.Job.Id, job => job.MessageStart);
    }

    [Fact]
    public async Task An_ordinary_job_writes_nothing_for_lists_when_it_ends()
    {
        await AcceptAsync(Company, 2, 2);
        var before = (await Database.CountRowsAsync())["job_marks"];
        before.ShouldBe(2);

        await DrainAsync(Store);

        (await Database.CountRowsAsync())["job_marks"].ShouldBe(before);
        (await Database.CountRowsAsync())["job_log"].ShouldBe(0);
    }

    [Fact]
    public async Task A_seal_whose_answer_was_lost_lists_the_job_once()
    {
        var chunks = ChunksOf(1);
        var job = NewJob(Company, chunks) with { Origin = new() { ClientId = "importer" } };
        await Store.SealJobAsync(job, chunks[0], Cancel);
        await Store.SealJobAsync(job, chunks[0], Cancel);

        (await ListAsync(new())).Jobs.ShouldHaveSingleItem();
        (await Database.CountRowsAsync())["job_marks"].ShouldBe(3);
    }

    [Fact]
    public async Task What_is_removed_is_not_listed_and_leaves_nothing()
    {
        await MixAsync();
        foreach (var listed in (await ListAsync(new() { Limit = 100 })).Jobs.Where(listed => !listed.Job.HasEnded))
            await EndAsync(listed.Job);
        await Database.PassTimeAsync(TimeSpan.FromDays(2));
        while (await Store.RemoveEndedAsync(Company, TimeSpan.FromHours(1), EndedPart.Jobs, Cancel))
        {
        }

        (await ListAsync(new())).Jobs.ShouldBeEmpty();
        var rows = await Database.CountRowsAsync();
        (rows["jobs"], rows["job_marks"], rows["job_log"]).ShouldBe((0, 0, 0));
    }

    [Fact]
    public async Task Jobs_of_before_there_were_lists_are_found_like_others()
    {
        var jobs = await MixAsync();
        await Database.CloseAsync();
        await Database.RunBesideAsync("DROP TABLE job_marks; DELETE FROM schema_versions WHERE scriptname LIKE '%0003%'");

        await RestartAsync();

        foreach (var job in jobs)
        {
            var query = new JobQuery
            {
                Status = job.Status,
                Type = job.Type,
                ClientId = job.Origin.ClientId,
                ParentId = job.Origin.ParentId,
                HasFailed = job.Counts.Failed > 0,
                DryRun = job.Options.DryRun,
            };
            foreach (var one in new[] { new(), new() { Status = query.Status }, new() { Type = query.Type }, new() { ClientId = query.ClientId },
                new() { ParentId = query.ParentId }, new() { HasFailed = query.HasFailed }, new() { DryRun = query.DryRun }, query })
            {
                (await WalkAsync(one)).ShouldContain(job.Id, $"{one}");
            }
        }
    }

    [Fact]
    public async Task Places_in_a_lane_count_the_unfinished_jobs_before()
    {
        var jobs = new List<ApiJob>();
        for (var count = 0; count < 5; count++)
            jobs.Add(await AcceptAsync(Company, 1));
        var other = await AcceptAsync(Store, Company, "imports", 1);
        (await Store.CountJobsBeforeAsync(Company, [jobs[4], jobs[0], other], Cancel)).ShouldBe([4, 0, 0]);

        await EndAsync(jobs[2]);
        (await Store.CountJobsBeforeAsync(Company, [jobs[0], jobs[1], jobs[3], jobs[4]], Cancel)).ShouldBe([0, 1, 2, 3]);

        await EndAsync(jobs[0]);
        (await Store.CountJobsBeforeAsync(Company, [jobs[4], jobs[1]], Cancel)).ShouldBe([2, 0]);
        (await Store.CountJobsBeforeAsync(OtherCompany, [jobs[4] with { CompanyId = OtherCompany }], Cancel)).Count.ShouldBe(1);
        (await Store.CountJobsBeforeAsync(Company, [], Cancel)).ShouldBeEmpty();
    }

    private Task<JobPage> ListAsync(JobQuery query) => Store.ListJobsAsync(Company, query, Cancel);

    private Task<EndResult> EndAsync(ApiJob job) => Store.EndJobAsync(job.CompanyId, job.Id, Cancelled, Cancel);

    private static IEnumerable<Guid> Ids(JobPage page) => page.Jobs.Select(listed => listed.Job.Id);

    /// <summary>The ids of all jobs that a query finds, page after page.</summary>
    private async Task<IReadOnlyList<Guid>> WalkAsync(JobQuery query)
    {
        var walked = new List<Guid>();
        var page = await ListAsync(query);
        walked.AddRange(Ids(page));
        while (page.Next is { } next)
        {
            page.Jobs.Count.ShouldBeLessThanOrEqualTo(query.Limit);
            page = await ListAsync(query with { After = next });
            walked.AddRange(Ids(page));
        }

        return walked;
    }

    /// <summary>Jobs of all kinds, as they are now.</summary>
    private async Task<IReadOnlyList<ApiJob>> MixAsync()
    {
        var jobs = new List<ApiJob>();
        for (var kind = 0; kind < 24; kind++)
        {
            var chunks = ChunksOf(1, 1);
            jobs.Add(await UploadAsync(Store, NewJob(Company, chunks, $"lane {kind % 4}") with
            {
                Id = Guid.CreateVersion7(Now),
                Type = kind % 3 == 0 ? "sample_bulk_update" : "sample_bulk_create",
                Options = kind % 5 == 0 ? new() { DryRun = true, KeyField = kind % 2 == 0 ? "ref" : null } : JobOptions.None,
                Origin = new() { ClientId = kind % 2 == 0 ? "importer" : kind % 4 == 1 ? "Importer" : null, ParentId = kind % 6 == 5 ? jobs[0].Id : null },
            }, chunks));
            Database.Clock.Advance(kind % 2 == 0 ? Minute : TimeSpan.Zero);
        }

        // Of each lane's jobs: some end well, some with failures, one is cancelled, one is being processed, some wait.
        while (await Store.ClaimLaneAsync(NodeName, LeaseTime, Cancel) is { } lease)
        {
            var chunks = (await ReadAheadAsync(lease)).Take(7).ToArray();
            await ApplyAsync(lease, chunks, [.. chunks.Select(Outcome)]);
        }

        await EndAsync(jobs[^1]);
        await EndAsync(jobs[13]);
        var now = new List<ApiJob>();
        foreach (var job in jobs)
            now.Add(await FindAsync(job));
        now.Select(job => job.Status).Distinct().Count().ShouldBe(4);
        now.Count(job => job.Counts.Failed > 0).ShouldBeInRange(2, 20);
        return now;

        static ChunkOutcome Outcome(PendingChunk chunk) => chunk.Job.Position % 2 == 0 && chunk.IsLast
            ? new(new[] { (byte)RecordOutcome.Failed }, ChunkErrors.Write([new(chunk.Chunk.FirstRecord, null, [new("wrong", "It is wrong.", "")])]), "", 0)
            : AllCreated(chunk);
    }
}
