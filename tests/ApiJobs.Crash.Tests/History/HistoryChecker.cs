using System.Collections.Concurrent;
using ApiJobs.Crash.Tests.Load;
using ApiJobs.Crash.Tests.Sites;
using ApiJobs.Records;

namespace ApiJobs.Crash.Tests.History;

/// <summary>Holds what the database has at last against what the clients saw: the one judge of every fault.</summary>
/// <remarks>Reads the store past the engine, and knows nothing of how it works beyond its tables.</remarks>
internal sealed class HistoryChecker(RoundHistory history, LoadShape shape, ClientAccess access, int seed, bool hasAppliedLog)
{
    /// <summary>Checks every company. The load has stopped and every job had its time to end.</summary>
    /// <returns>How many records the jobs have.</returns>
    public async Task<long> CheckAsync(StoreReader reader, CancellationToken cancellationToken)
    {
        var records = 0L;
        for (var company = 0; company < shape.Companies; company++)
            records += await new CompanyCheck(this, company).RunAsync(reader, cancellationToken);
        return records;
    }

    private sealed class CompanyCheck(HistoryChecker checker, int company)
    {
        private readonly Guid _companyId = LoadShape.CompanyId(company);
        private readonly List<SentRequest> _requests = checker.Requests(company);
        private readonly LaneModel _model = new();
        private readonly Dictionary<Guid, AppliedJob> _applied = [];
        private readonly Dictionary<Guid, IReadOnlyList<PlannedRecord>> _records = [];
        private readonly Dictionary<Guid, StoredJob> _jobs = [];

        public async Task<long> RunAsync(StoreReader reader, CancellationToken cancellationToken)
        {
            var jobs = await reader.ReadJobsAsync(_companyId, cancellationToken);
            CheckRequests([.. jobs.Where(job => job.ParentId is null)]);
            CheckRetries(jobs);
            for (var place = 0; place < jobs.Count; place++)
                CheckJob(jobs[place], place);
            if (checker.HasAppliedLog)
                await CheckAppliedLogAsync(reader, cancellationToken);
            // While a job is half done, nothing can be said of the rows.
            if (jobs.All(job => job.HasEnded))
                CheckRows(await reader.ReadRowsAsync(_companyId, cancellationToken));
            return jobs.Sum(job => job.TotalRecords);
        }

        /// <summary>Each accepted request is one job, each refused one none, and jobs stand in the order their client sent them.</summary>
        private void CheckRequests(IReadOnlyList<StoredJob> jobs)
        {
            var byRequest = jobs.ToLookup(job => job.RequestNumber);
            foreach (var request in _requests)
            {
                var made = byRequest[request.Number].ToList();
                if (made.Count > 1)
                    Add(Rule.NothingIsDoubled, $"request {request.Number} made {made.Count} jobs");
                if (request.Answer == Answer.Accepted && (made.Count == 0 || made[0].Id != request.JobId))
                    Add(Rule.NothingIsLost, $"request {request.Number} was accepted as job {request.JobId}, which does not exist");
                if (request.Answer is Answer.Refused or Answer.NotSent && made.Count > 0)
                    Add(Rule.NothingIsDoubled, $"request {request.Number} was {request.Answer}, and made job {made[0].Id}");
                if (request.Answer == Answer.Unavailable && made.Count > 0)
                    checker.CountUnavailableButKept();
            }

            var lastAccepted = -1;
            foreach (var job in jobs)
            {
                if (job.RequestNumber < 0 || job.RequestNumber >= _requests.Count)
                {
                    Add(Rule.NothingIsDoubled, $"job {job.Id} is of a request that was never sent, {job.RequestNumber}");
                    continue;
                }

                // A request without an answer may be accepted any time later; one with an answer stands before those sent after it.
                if (_requests[job.RequestNumber].Answer != Answer.Accepted)
                    continue;
                if (job.RequestNumber < lastAccepted)
                    Add(Rule.LaneOrder, $"job {job.Id} of request {job.RequestNumber} stands after that of request {lastAccepted}");
                lastAccepted = Math.Max(lastAccepted, job.RequestNumber);
            }
        }

        /// <summary>A job is retried by one job at the most, and by the one that its client was told.</summary>
        private void CheckRetries(IReadOnlyList<StoredJob> jobs)
        {
            var byParent = jobs.Where(job => job.ParentId is not null).ToLookup(job => job.ParentId!.Value);
            foreach (var children in byParent.Where(children => children.Count() > 1))
                Add(Rule.NothingIsDoubled, $"job {children.Key} has {children.Count()} retries");
            foreach (var parent in jobs)
            {
                if (checker.Retries.TryGetValue(parent.Id, out var child) && byParent[parent.Id].All(made => made.Id != child))
                    Add(Rule.NothingIsLost, $"job {parent.Id} was retried as job {child}, which does not exist");
            }
        }

        /// <summary>What the job was sent with: its request's records, or those of its parent that failed or were not processed.</summary>
        private IReadOnlyList<PlannedRecord>? RecordsOf(StoredJob job)
        {
            if (job.ParentId is not { } parentId)
                return checker.Plan(company, job.RequestNumber).Records;
            // A parent stands before its child, and was checked before it.
            if (!_jobs.TryGetValue(parentId, out var parent) || !_records.TryGetValue(parentId, out var sent))
                return null;
            return [.. sent.Where((_, index) => index >= parent.Outcomes.Count || (RecordOutcome)parent.Outcomes[index] == RecordOutcome.Failed)];
        }

        /// <summary>A job has failed exactly if it was cancelled.</summary>
        private void CheckCancel(StoredJob job)
        {
            var wasAsked = checker.Cancels.TryGetValue(job.Id, out var answer);
            if (job.Failure is not null && !(wasAsked && answer != CancelAnswer.HadEnded))
                Add(Rule.EveryJobEnds, $"job {job.Id} failed, and was not cancelled: {job.Failure}");
            if (job.Failure is null && wasAsked && answer == CancelAnswer.Cancelled)
                Add(Rule.ProgressIsForGood, $"job {job.Id} was cancelled, and has not failed");
            if (job.Failure is not null && job.Outcomes.Count != job.AppliedRecords)
                Add(Rule.OutcomesAreRight, $"job {job.Id} was cancelled at chunk {job.NextChunk}, and has {job.Outcomes.Count} outcomes for {job.AppliedRecords} records");
        }

        /// <summary>The job has ended, and its records have the outcomes that the jobs before it give them.</summary>
        private void CheckJob(StoredJob job, int place)
        {
            if (job.RequestNumber < 0 || job.RequestNumber >= _requests.Count)
                return;
            var verb = checker.Plan(company, job.RequestNumber).Verb;
            if (RecordsOf(job) is not { } records)
            {
                Add(Rule.NothingIsDoubled, $"job {job.Id} retries the job {job.ParentId}, which does not stand before it");
                return;
            }

            _jobs.Add(job.Id, job);
            _records.Add(job.Id, records);
            if (job.Position != place + 1)
                Add(Rule.NothingIsLost, $"job {job.Id} has position {job.Position}, and is number {place + 1} of its lane");
            if (!job.HasEnded)
                Add(Rule.EveryJobEnds, $"job {job.Id} of request {job.RequestNumber} has not ended: chunk {job.NextChunk} of {job.ChunkCount} is next");
            CheckCancel(job);
            var type = $"{checker.TypePrefix}customer_case_bulk_{verb.ToString().ToLowerInvariant()}";
            if (job.Type != type || job.TotalRecords != records.Count || job.StoredRecords != records.Count)
            {
                Add(
                    Rule.NothingIsLost,
                    $"job {job.Id} is {job.Type} of {job.TotalRecords} records, {job.StoredRecords} stored; {type} of {records.Count} was sent");
                return;
            }

            var counts = new long[4];
            var effected = new bool[records.Count];
            // What comes after the end of a cancelled job was never applied.
            var count = job.Failure is null ? records.Count : Math.Min(records.Count, job.Outcomes.Count);
            for (var index = 0; index < count; index++)
            {
                var expected = _model.Apply(verb, records[index]);
                counts[(int)expected - 1]++;
                effected[index] = expected is RecordOutcome.Created or RecordOutcome.Updated;
                var stored = index < job.Outcomes.Count ? (RecordOutcome)job.Outcomes[index] : RecordOutcome.Unprocessed;
                if (stored != expected && job.HasEnded)
                    Add(Rule.OutcomesAreRight, $"record {index} of job {job.Id} (request {job.RequestNumber}) is {stored}, and should be {expected}");
            }

            if (job.HasEnded && job.Outcomes.Count != count)
                Add(Rule.OutcomesAreRight, $"job {job.Id} has {job.Outcomes.Count} outcomes for {count} records");
            if (job.HasEnded && !counts.SequenceEqual(job.Counts))
                Add(Rule.OutcomesAreRight, $"job {job.Id} counts {string.Join('/', job.Counts)}, and should count {string.Join('/', counts)}");
            _applied.Add(job.Id, new(place, effected, new int[effected.Length], job.HasEnded));
        }

        /// <summary>One line for each effected record, none for the others, all in lane order.</summary>
        private async Task CheckAppliedLogAsync(StoreReader reader, CancellationToken cancellationToken)
        {
            var last = (Place: -1, Index: -1L);
            await reader.ReadAppliedAsync(
                _companyId,
                (jobId, index) =>
                {
                    if (!_applied.TryGetValue(jobId, out var job))
                    {
                        Add(Rule.NothingIsDoubled, $"record {index} was applied for job {jobId}, which does not exist");
                        return;
                    }

                    job.Lines[index]++;
                    if ((job.Place, index).CompareTo(last) < 0)
                        Add(Rule.LaneOrder, $"record {index} of job {jobId} was applied after record {last.Index} of the job at place {last.Place} of the lane");
                    last = (job.Place, index);
                },
                cancellationToken);
            foreach (var (jobId, job) in _applied)
            {
                for (var index = 0; index < job.Lines.Length; index++)
                {
                    if (job.Lines[index] > (job.Effected[index] ? 1 : 0))
                        Add(Rule.NothingIsDoubled, $"record {index} of job {jobId} was applied {job.Lines[index]} times");
                    else if (job.HasEnded && job.Effected[index] && job.Lines[index] == 0)
                        Add(Rule.NothingIsLost, $"record {index} of job {jobId} was never applied");
                }
            }
        }

        private void CheckRows(IReadOnlyList<(Guid Id, string Notes)> rows)
        {
            var names = new HashSet<string>(StringComparer.Ordinal);
            foreach (var (id, notes) in rows)
            {
                var name = LaneModel.NameOf(RequestPlan.IsKey(company, id) ? id : null, notes);
                if (!names.Add(name))
                    Add(Rule.NothingIsDoubled, $"two rows are {name}");
                if (!_model.Rows.TryGetValue(name, out var expected))
                    Add(Rule.RowsAreRight, $"the row {name} should not exist");
                else if (expected != notes)
                    Add(Rule.RowsAreRight, $"the row {name} holds {notes}, and should hold {expected}");
            }

            foreach (var name in _model.Rows.Keys.Where(name => !names.Contains(name)))
                Add(Rule.RowsAreRight, $"the row {name} is missing");
        }

        private void Add(Rule rule, string what) => checker.Add(rule, $"Company {company}: {what}.");

        private sealed record AppliedJob(int Place, bool[] Effected, int[] Lines, bool HasEnded);
    }

    /// <summary>Requests answered with 503 of which a job exists nevertheless: allowed where the commit's answer was lost, and worth knowing.</summary>
    public int UnavailableButKept { get; private set; }

    private bool HasAppliedLog => hasAppliedLog;

    private ConcurrentDictionary<Guid, CancelAnswer> Cancels => history.Cancels;

    private ConcurrentDictionary<Guid, Guid> Retries => history.Retries;

    private string TypePrefix => access.TypePrefix;

    private List<SentRequest> Requests(int company) => history.Requests[company];

    private RequestPlan Plan(int company, int number) => RequestPlan.Of(shape, seed, company, number);

    private void CountUnavailableButKept() => UnavailableButKept++;

    private void Add(Rule rule, string what) => history.Add(rule, what);
}
