using ApiJobs.Jobs;
using ApiJobs.Records;
using ApiJobs.Storage;

namespace ApiJobs.Stores.Tests.Conformance;

/// <summary>Long random histories of calls, the wrong ones among them, against a model that is simple enough to be right.</summary>
public abstract class HistoryTests(StoreFixture stores) : StoreTests(stores)
{
    private const int Steps = 250;

    // Time passes in steps that never add up to a time near the lease, so that the time which the test itself takes does not matter.
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(50), Short = TimeSpan.FromMinutes(15), Long = TimeSpan.FromMinutes(55);

    private readonly List<ModelJob> _jobs = [];
    private readonly List<(NewJob Request, IReadOnlyList<Chunk> Chunks)> _uploads = [];
    private readonly Dictionary<(Guid, string), (LaneLease Lease, TimeSpan Until)> _held = [];
    private readonly List<LaneLease> _leases = [];
    private readonly List<(LaneLease Lease, IReadOnlyList<PendingChunk> Chunks)> _read = [];

    // Lanes that somebody emptied who did not hold them: the store learns that they are empty when they are claimed and given back.
    private readonly HashSet<(Guid, string)> _emptiedUnheld = [];
    private TimeSpan _time;

    public static TheoryData<int> Seeds { get; } = new(1, 2, 3, 9460655, Environment.TickCount);

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task A_history_of_calls_ends_as_the_model_says(int seed)
    {
        var random = new Random(seed);
        for (var step = 0; step < Steps; step++)
        {
            await (random.Next(12) switch
            {
                0 or 1 => SealAsync(random),
                2 => BeginUploadAsync(random),
                3 => EndUploadAsync(random),
                4 or 5 => ClaimLaneAsync(),
                6 => ReadAheadAsync(random),
                7 or 8 => ApplyAsync(random),
                9 => RenewAsync(random),
                10 => ReleaseAsync(random),
                _ => PassTimeAsync(random),
            });
        }

        foreach (var (request, _) in _uploads)
            await Store.AbandonUploadAsync(request.CompanyId, request.Id, Cancel);
        foreach (var job in _jobs)
            await ExpectAsync(job);
        await FinishAsync();
    }

    private async Task SealAsync(Random random)
    {
        var (request, chunks) = NewRequest(random);
        var job = await UploadAsync(Store, request, chunks);
        AddSealed(request, chunks, job);
    }

    private async Task BeginUploadAsync(Random random)
    {
        var (request, chunks) = NewRequest(random);
        foreach (var chunk in chunks.SkipLast(1))
            (await Store.AppendChunkAsync(request.CompanyId, request.Id, chunk, Cancel)).ShouldBeTrue();
        _uploads.Add((request, chunks));
    }

    private async Task EndUploadAsync(Random random)
    {
        if (_uploads.Count == 0)
            return;
        var (request, chunks) = Take(_uploads, random);
        (await Store.FindJobAsync(request.CompanyId, request.Id, Cancel)).ShouldBeNull();
        var lost = chunks.Count > 1 && random.Next(2) == 0;
        if (lost)
            await Store.AbandonUploadAsync(request.CompanyId, request.Id, Cancel);
        var result = await Store.SealJobAsync(request, chunks[^1], Cancel);
        if (lost)
            result.ShouldBeSwept();
        else
            AddSealed(request, chunks, result.ShouldBeSealed());
    }

    private async Task ClaimLaneAsync()
    {
        var free = Lanes().Where(lane => !IsHeld(lane) && NextOf(lane) is not null).ToList();
        // Whoever held a lane drained it and never gave it back; so the store may not know yet.
        var drained = Lanes().Where(lane => !IsHeld(lane) && NextOf(lane) is null && (_held.ContainsKey(lane) || _emptiedUnheld.Contains(lane))).ToList();
        if (drained.Count == 0)
        {
            // Where many nodes share the lanes, one may learn late that a lane waits; but it never says so when none does.
            var isWaiting = await Store.IsLaneWaitingAsync(Cancel);
            if (Database.ServesManyNodes)
                (isWaiting && free.Count == 0).ShouldBeFalse();
            else
                isWaiting.ShouldBe(free.Count > 0);
        }

        var lease = await Store.ClaimLaneAsync(NodeName, Lease, Cancel);

        if (lease is null)
        {
            free.ShouldBeEmpty();
            return;
        }

        free.Concat(drained).ShouldContain((lease.CompanyId, lease.Lane));
        _held[(lease.CompanyId, lease.Lane)] = (lease, _time + Lease);
        _emptiedUnheld.Remove((lease.CompanyId, lease.Lane));
        _leases.Add(lease);
    }

    private async Task ReadAheadAsync(Random random)
    {
        if (_leases.Count == 0)
            return;
        var lease = Any(_leases, random);
        var maxRecords = random.Next(1, 12);

        var chunks = await Store.ReadAheadAsync(lease, null, maxRecords, Cancel);

        var expected = WaitingIn((lease.CompanyId, lease.Lane)).ToList();
        var count = 0;
        for (var records = 0; count < expected.Count && (count == 0 || records + expected[count].Chunk.RecordCount <= maxRecords); count++)
            records += expected[count].Chunk.RecordCount;
        chunks.Select(pending => (pending.Job.Id, pending.Chunk.Index)).ShouldBe(expected.Take(count).Select(pending => (pending.Job.Request.Id, pending.Chunk.Index)));
        if (chunks.Count > 0)
            _read.Add((lease, chunks));
    }

    /// <summary>Applies chunks that were read at some time, perhaps long ago, perhaps under a lease that is lost.</summary>
    private async Task ApplyAsync(Random random)
    {
        if (_read.Count == 0)
            return;
        var (lease, chunks) = Any(_read, random);
        var first = JobOf(chunks[0]);
        var isNext = NextOf((lease.CompanyId, lease.Lane)) == first && first.NextChunk == chunks[0].Chunk.Index;
        var outcomes = chunks.Select(pending => OutcomeOf(pending, random)).ToList();
        var fails = random.Next(5) == 0;

        var called = false;
        var applying = Store.ApplyAsync(lease, chunks, async (transaction, cancellationToken) =>
        {
            isNext.ShouldBeTrue();
            called = true;
            await Effects(chunks)(transaction, cancellationToken);
            return fails ? throw new InvalidOperationException("A handler crashed.") : outcomes;
        }, Cancel);

        if (fails && isNext)
            await Should.ThrowAsync<InvalidOperationException>(applying);
        else
            ((await applying).Count > 0).ShouldBe(isNext);
        called.ShouldBe(isNext);
        if (isNext && !fails)
        {
            foreach (var (pending, outcome) in chunks.Zip(outcomes))
                JobOf(pending).Apply(outcome);
            if (NextOf((lease.CompanyId, lease.Lane)) is null && !IsHeld((lease.CompanyId, lease.Lane)))
                _emptiedUnheld.Add((lease.CompanyId, lease.Lane));
        }

        foreach (var job in chunks.Select(JobOf).Distinct())
            await ExpectAsync(job);
    }

    private async Task RenewAsync(Random random)
    {
        if (_leases.Count == 0)
            return;
        var lease = Any(_leases, random);
        var lane = (lease.CompanyId, lease.Lane);
        var mayRenew = _held.TryGetValue(lane, out var held) && held.Lease == lease;

        (await Store.RenewLeaseAsync(lease, Lease, Cancel)).ShouldBe(mayRenew);

        if (mayRenew)
            _held[lane] = (lease, _time + Lease);
    }

    private async Task ReleaseAsync(Random random)
    {
        if (_leases.Count == 0)
            return;
        var lease = Any(_leases, random);

        await Store.ReleaseLaneAsync(lease, fault: null, Cancel);

        if (_held.TryGetValue((lease.CompanyId, lease.Lane), out var held) && held.Lease == lease)
            _held.Remove((lease.CompanyId, lease.Lane));
    }

    private async Task PassTimeAsync(Random random)
    {
        var time = random.Next(3) == 0 ? Long : Short;
        await Database.PassTimeAsync(time);
        _time += time;
    }

    /// <summary>Lets every lease run out, applies all that is left, and looks at everything.</summary>
    private async Task FinishAsync()
    {
        await Database.PassTimeAsync(Long);
        await DrainAsync(Store);
        foreach (var company in _jobs.GroupBy(job => job.Request.CompanyId))
        {
            (await AppliedAsync(company.Key)).Order().ShouldBe(company.SelectMany(job => RecordsOf(job.Sealed)).Order());
            foreach (var job in company)
                (await FindAsync(job.Sealed)).ShouldSatisfyAllConditions(found => found.HasEnded.ShouldBeTrue(), found => found.Unprocessed.ShouldBe(0));
        }
    }

    private async Task ExpectAsync(ModelJob job)
    {
        var found = await FindAsync(job.Sealed);
        (found.NextChunk, found.HasEnded, found.Counts, found.MessageEntryCount).ShouldBe(
            (job.NextChunk, job.NextChunk == job.Chunks.Count, job.Counts, job.EntryCount));
        (await MessageAsync(found)).ShouldBe(job.Message);
        (await ResultsAsync(job.Sealed)).Count(result => !result.Outcomes.IsEmpty).ShouldBe(job.NextChunk);
    }

    private static (NewJob, IReadOnlyList<Chunk>) NewRequest(Random random)
    {
        var chunks = ChunksOf([.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => random.Next(1, 6))]);
        return (NewJob(random.Next(2) == 0 ? Company : OtherCompany, chunks, random.Next(2) == 0 ? "" : "imports"), chunks);
    }

    private void AddSealed(NewJob request, IReadOnlyList<Chunk> chunks, ApiJob job)
    {
        job.Position.ShouldBe(1 + _jobs.Count(other => LaneOf(other) == (request.CompanyId, request.Lane)));
        _jobs.Add(new(request, chunks, job));
    }

    private static ChunkOutcome OutcomeOf(PendingChunk pending, Random random)
    {
        var outcomes = Enumerable.Range(0, pending.Chunk.RecordCount).Select(_ => (byte)random.Next(1, 5)).ToArray();
        var entries = outcomes.Count(outcome => outcome >= (byte)RecordOutcome.Unchanged);
        return new(outcomes, default, string.Concat(Enumerable.Repeat($"entry {pending.Chunk.Index}\n", entries)), entries);
    }

    private IEnumerable<(Guid, string)> Lanes() => _jobs.Select(LaneOf).Distinct();

    private static (Guid, string) LaneOf(ModelJob job) => (job.Request.CompanyId, job.Request.Lane);

    private ModelJob? NextOf((Guid, string) lane) => _jobs.FirstOrDefault(job => LaneOf(job) == lane && job.NextChunk < job.Chunks.Count);

    private IEnumerable<(ModelJob Job, Chunk Chunk)> WaitingIn((Guid, string) lane) =>
        _jobs.Where(job => LaneOf(job) == lane).SelectMany(job => job.Chunks.Skip(job.NextChunk).Select(chunk => (job, chunk)));

    private bool IsHeld((Guid, string) lane) => _held.TryGetValue(lane, out var held) && held.Until > _time;

    private ModelJob JobOf(PendingChunk pending) => _jobs.Single(job => job.Request.Id == pending.Job.Id);

    private static T Any<T>(List<T> list, Random random) => list[random.Next(list.Count)];

    private static T Take<T>(List<T> list, Random random)
    {
        var index = random.Next(list.Count);
        var taken = list[index];
        list.RemoveAt(index);
        return taken;
    }

    private sealed class ModelJob(NewJob request, IReadOnlyList<Chunk> chunks, ApiJob job)
    {
        public NewJob Request => request;

        public IReadOnlyList<Chunk> Chunks => chunks;

        public ApiJob Sealed => job;

        public int NextChunk { get; private set; }

        public OutcomeCounts Counts { get; private set; }

        public string Message { get; private set; } = "";

        public long EntryCount { get; private set; }

        public void Apply(ChunkOutcome outcome)
        {
            NextChunk++;
            Counts += outcome.Counts;
            Message += outcome.MessageText;
            EntryCount += outcome.MessageEntryCount;
        }
    }
}
