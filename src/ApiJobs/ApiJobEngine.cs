using System.Runtime.CompilerServices;
using ApiJobs.Admission;
using ApiJobs.Intake;
using ApiJobs.Jobs;
using ApiJobs.Operations;
using ApiJobs.Processing;
using ApiJobs.Records;
using ApiJobs.Storage;
using ApiJobs.Waiting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace ApiJobs;

/// <summary>The engine as its callers see it: accepts bulk requests as API jobs and answers what became of them.</summary>
/// <remarks>The work itself is done by <see cref="Worker"/>s, in this process or in others on the same store.</remarks>
public sealed class ApiJobEngine(
    IJobStore store,
    OperationCatalog operations,
    IOptions<IntakeOptions> intakeOptions,
    IOptions<AdmissionOptions> admissionOptions,
    WorkPace pace,
    JobWatch watch,
    TimeProvider time,
    ILogger<ApiJobEngine> logger) : IDisposable
{
    private readonly IntakeOptions _intake = intakeOptions.Value;
    private readonly EndedJobs _endedJobs = new();
    private readonly QueueAdmission _admission = new(store, admissionOptions.Value, pace, time);

    /// <summary>Reads a request's records to the end and makes a job of them, all or nothing.</summary>
    /// <returns>The pending job; every one of its records is durable.</returns>
    /// <exception cref="RequestFaultException">The body cannot be accepted; nothing of it remains.</exception>
    /// <exception cref="StoreUnavailableException">The store cannot take it now; nothing of it remains, or will once it is swept.</exception>
    public async Task<ApiJob> AcceptAsync(BulkRequest request, RecordReader records, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(records);
        // What was stored under the key before is not stored again.
        return await FindRepeatedAsync(request.CompanyId, request.Origin, request.Fingerprint, cancellationToken)
            ?? await AcceptNewAsync(request, descent: null, maxFailed: null, records, cancellationToken);
    }

    /// <summary>Makes a job of the records of another one that failed or were not processed, as they were sent.</summary>
    /// <param name="parent">The job, as read just now.</param>
    /// <param name="origin">Who asks, and how; the parent is filled in here.</param>
    /// <param name="fingerprint">What tells the request from another one under the same idempotency key; null without a key.</param>
    /// <param name="cancellationToken">Cancels before the job is made.</param>
    /// <returns>The pending job; or, of a request that is sent again under its key, the job that it made.</returns>
    /// <exception cref="RequestFaultException">The job has not ended, has nothing to retry, or was retried before; or its operation is gone. Nothing was made.</exception>
    /// <exception cref="RecordsRemovedException">The records have been kept long enough, and are gone.</exception>
    public Task<ApiJob> RetryAsync(ApiJob parent, JobOrigin origin, ReadFingerprint? fingerprint, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(parent);
        return GoOnAsync(parent, JobDescent.Retry, parent.Options, origin, fingerprint, cancellationToken);
    }

    /// <summary>Makes the real job of all records of a rehearsal, as they were sent.</summary>
    /// <exception cref="RequestFaultException">The job is no rehearsal, has not ended, or was promoted before; or its operation is gone. Nothing was made.</exception>
    /// <inheritdoc cref="RetryAsync"/>
    public Task<ApiJob> PromoteAsync(ApiJob parent, JobOrigin origin, ReadFingerprint? fingerprint, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(parent);
        return GoOnAsync(parent, JobDescent.Promotion, parent.Options with { DryRun = false }, origin, fingerprint, cancellationToken);
    }

    // However a job comes about, it is accepted in the same way; only where its records come from differs.
    private async Task<ApiJob> GoOnAsync(
        ApiJob parent, JobDescent descent, JobOptions options, JobOrigin origin, ReadFingerprint? fingerprint, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(origin);
        if (await FindRepeatedAsync(parent.CompanyId, origin, fingerprint, cancellationToken) is { } repeated)
            return repeated;
        if (descent.Refuses(parent) is { } fault)
            throw new RequestFaultException(fault);
        if (await FindChildAsync(parent.CompanyId, parent.Id, descent, cancellationToken) is { } childId)
            throw new RequestFaultException(descent.Taken(parent.Id, childId));
        if (descent.HasNothing(parent) is { } nothing)
            throw new RequestFaultException(nothing);
        var operation = operations.Find(parent.Type) ?? throw new RequestFaultException(JobDescents.OperationGone(parent));
        var request = new BulkRequest(parent.CompanyId, operation, options)
        {
            Origin = origin with { ParentId = parent.Id },
            Fingerprint = fingerprint,
        };
        await using var records = new StoredRecords(store, parent, outcome => descent.Takes(outcome));
        // A rehearsal says what the real job comes to, so that has the same bound. A retry brings what failed once already: it has none.
        var maxFailed = descent == JobDescent.Promotion ? parent.MaxFailed : null;
        return await AcceptNewAsync(request, descent, maxFailed, records, cancellationToken);
    }

    private async Task<ApiJob> AcceptNewAsync(
        BulkRequest request, JobDescent? descent, long? maxFailed, RecordReader records, CancellationToken cancellationToken)
    {
        if (request.Options.DryRun && !request.Operation.CanRehearse)
            throw NotRehearsable(request.Operation);
        var jobId = Guid.CreateVersion7(time.GetUtcNow());
        // Before anything of the body is read: who waits for 100 Continue never sends what is refused.
        using var place = await _admission.EnterAsync(request.CompanyId, cancellationToken);
        var chunks = new ChunkBuilder(_intake, request.Operation.MaxChunkRecords);
        Task<bool>? append = null;
        try
        {
            while (await records.ReadAsync(cancellationToken))
            {
                if (chunks.TotalRecords == 0)
                    HeaderCheck.Check(request, records);
                if (chunks.TotalRecords == _intake.MaxRecords)
                    throw TooManyRecords();
                if (chunks.IsFullFor(records.Current, records.Line))
                {
                    await EndAppendAsync(append);
                    var chunk = chunks.Close();
                    await place.GrowAsync(new(chunks.TotalRecords, chunks.TotalBytes), isLast: false, cancellationToken);
                    append = store.AppendChunkAsync(request.CompanyId, jobId, chunk, cancellationToken);
                }

                chunks.Add(records);
            }

            await EndAppendAsync(append);
            if (chunks.TotalRecords == 0)
                throw NoRecords();

            var fingerprint = request.Fingerprint is { } read ? await read(cancellationToken) : default;
            var lastChunk = chunks.Close();
            await place.GrowAsync(new(chunks.TotalRecords, chunks.TotalBytes), isLast: true, cancellationToken);

            // From here on the caller's hanging up changes nothing: the records are all here, and the job is made.
            var job = new NewJob
            {
                Id = jobId,
                CompanyId = request.CompanyId,
                Type = request.Operation.Type,
                Lane = request.Operation.Lane,
                Options = request.Options,
                Origin = request.Origin,
                Fingerprint = fingerprint,
                TotalRecords = chunks.TotalRecords,
                TotalBytes = chunks.TotalBytes,
                MaxFailed = maxFailed ?? request.MaxFailed?.Of(chunks.TotalRecords),
                Descent = descent,
            };
            var result = await store.SealJobAsync(job, lastChunk, CancellationToken.None);
            if (result is SealResult.Sealed)
                place.Seal();
            return result switch
            {
                SealResult.Sealed made => Accepted(made.Job),
                SealResult.KeyTaken taken => await FindKeyHolderAsync(job, taken, append),
                SealResult.ParentTaken taken => throw new RequestFaultException(descent!.Value.Taken(request.Origin.ParentId!.Value, taken.ChildId)),
                _ => throw UploadExpired(),
            };
        }
        catch when (append is not null)
        {
            await AbandonAsync(request.CompanyId, jobId, append);
            throw;
        }
    }

    /// <summary>Reads a job of a company.</summary>
    /// <returns>The job, or null if the company has none of that id.</returns>
    public async ValueTask<ApiJob?> FindJobAsync(Guid companyId, Guid jobId, CancellationToken cancellationToken)
    {
        if (_endedJobs.Find(companyId, jobId) is { } ended)
            return ended.Job;
        var job = await store.FindJobAsync(companyId, jobId, cancellationToken);
        if (job is { HasEnded: true })
            _endedJobs.Keep(new(job, await ReadStoredMessageAsync(job, cancellationToken)));
        return job;
    }

    /// <summary>Lists jobs of a company, newest first.</summary>
    /// <remarks>
    /// Looks at no more than <see cref="JobPage.MaxLookedAt"/> jobs: a page may have fewer jobs than asked for, or none, and still a next place.
    /// </remarks>
    public Task<JobPage> ListJobsAsync(Guid companyId, JobQuery query, CancellationToken cancellationToken) =>
        store.ListJobsAsync(companyId, query, cancellationToken);

    /// <summary>Tells what happened to a job, oldest first: what its times say, and what was stored because it was out of the ordinary.</summary>
    /// <param name="job">The job, as read just now.</param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    /// <returns>At most <see cref="JobLogEntry.MaxShown"/> lines.</returns>
    public async Task<IReadOnlyList<JobLogLine>> ReadLogAsync(ApiJob job, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(job);
        var lines = JobLogLines.Of(job, await store.ReadLogAsync(job.CompanyId, job.Id, cancellationToken));
        return job.HasEnded ? [.. lines, .. await ReadDescentsAsync(job, cancellationToken)] : lines;
    }

    /// <summary>Estimates how some jobs of a company get on.</summary>
    /// <param name="companyId">The company.</param>
    /// <param name="jobs">Jobs of the company, as read just now.</param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    /// <returns>An estimate for each, in their order.</returns>
    public async Task<IReadOnlyList<ProgressEstimate>> EstimateProgressAsync(
        Guid companyId, IReadOnlyList<ApiJob> jobs, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(jobs);
        // One that is being processed is its lane's first.
        var pending = jobs.Where(job => job.Status == ApiJobStatus.Pending).ToArray();
        var before = new Queue<long>(pending.Length == 0 ? [] : await store.CountJobsBeforeAsync(companyId, pending, cancellationToken));
        return [.. jobs.Select(job => job.HasEnded
            ? ProgressEstimate.Ended
            : pace.Estimate(job, job.Status == ApiJobStatus.Pending ? before.Dequeue() : 0, time.GetUtcNow()))];
    }

    /// <summary>Registers somebody who waits for a job, or for how far it gets.</summary>
    /// <remarks>What any node does to the job is told within the second; what this one does, at once.</remarks>
    /// <param name="companyId">The company.</param>
    /// <param name="jobId">The job; whether there is one, <see cref="JobWaiter.ReadAsync"/> says.</param>
    /// <returns>The waiter, to be disposed of; null if as many wait as <see cref="WaitOptions"/> allows.</returns>
    public JobWaiter? Watch(Guid companyId, Guid jobId) => watch.Watch(companyId, jobId, FindJobAsync);

    /// <summary>Ends a job as failed: the records without an outcome stay unprocessed.</summary>
    /// <remarks>The chunk at hand is either applied before the end, or rolled back. May be called again when the answer was lost.</remarks>
    /// <param name="companyId">The company.</param>
    /// <param name="jobId">The job.</param>
    /// <param name="failure">Why it does not run to its end.</param>
    /// <param name="cancellationToken">Cancels before the end is durable.</param>
    public Task<EndResult> EndJobAsync(Guid companyId, Guid jobId, JobFailure failure, CancellationToken cancellationToken) =>
        EndJobAsync(companyId, jobId, failure, request: null, cancellationToken);

    private async Task<EndResult> EndJobAsync(
        Guid companyId, Guid jobId, JobFailure failure, KeyedRequest? request, CancellationToken cancellationToken)
    {
        var isTold = false;
        try
        {
            var result = await store.EndJobAsync(companyId, jobId, failure, request, cancellationToken);
            // The job is read again rather than made up, so that what is kept of ended jobs is what the store says.
            if (result == EndResult.Ended && await FindJobAsync(companyId, jobId, CancellationToken.None) is { } ended)
            {
                logger.JobEnded(ended);
                watch.Tell(ended);
                isTold = true;
            }

            return result;
        }
        finally
        {
            if (!isTold)
                watch.Doubt((companyId, jobId));
        }
    }

    /// <summary>Cancels a job: it ends as failed with the chunk at hand, and the records without an outcome stay unprocessed.</summary>
    /// <param name="companyId">The company.</param>
    /// <param name="jobId">The job.</param>
    /// <param name="clientId">Who asks; null if callers are not told apart.</param>
    /// <param name="request">The request, if it may be sent again under a key; null otherwise.</param>
    /// <param name="cancellationToken">Cancels before the end is durable.</param>
    /// <returns>The ended job, also if the same request under the same key has ended it before; null if the company has none of that id.</returns>
    /// <exception cref="RequestFaultException">It had ended already, or the key was used for another request.</exception>
    public async Task<ApiJob?> CancelAsync(
        Guid companyId, Guid jobId, string? clientId, KeyedRequest? request, CancellationToken cancellationToken)
    {
        if (await FindCancelledAsync(companyId, request, cancellationToken) is { } before)
            return before;
        switch (await EndJobAsync(companyId, jobId, JobFailure.Cancelled(clientId), request, cancellationToken))
        {
            case EndResult.Ended:
                return await FindJobAsync(companyId, jobId, CancellationToken.None);
            case EndResult.Unknown:
                return null;
            default:
                // The same request may have been faster, since the key was looked up.
                return await FindCancelledAsync(companyId, request, cancellationToken) ?? throw AlreadyEnded(jobId);
        }
    }

    /// <summary>Reads which jobs go on from some jobs as their retries or promotions.</summary>
    /// <returns>The last one of each job that has any, by the job's id.</returns>
    public async Task<IReadOnlyDictionary<Guid, Guid>> FindChildrenAsync(
        Guid companyId, IReadOnlyCollection<Guid> jobIds, CancellationToken cancellationToken)
    {
        var children = await store.FindChildrenAsync(companyId, jobIds, cancellationToken);
        // Ids are made in order.
        return children.GroupBy(child => child.ParentId).ToDictionary(family => family.Key, family => family.Max(child => child.JobId));
    }

    /// <summary>Reads the entries of a job's message, of the moment at which the job was read.</summary>
    /// <returns>Whole entries in input order, joined by nothing; empty if there are none.</returns>
    public async ValueTask<string> ReadMessageAsync(ApiJob job, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(job);
        if (job.HasEnded && _endedJobs.Find(job.CompanyId, job.Id) is { } ended)
            return ended.Message;
        var message = await ReadStoredMessageAsync(job, cancellationToken);
        if (job.HasEnded)
            _endedJobs.Keep(new(job, message));
        return message;
    }

    /// <summary>Reads what happened to each record of a job, in input order.</summary>
    /// <param name="job">The job, as read just now: records it has not processed are given as unprocessed.</param>
    /// <param name="fromChunk">The chunk to begin with (<see cref="RecordResult.ChunkIndex"/>).</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="RecordsRemovedException">The records have been kept long enough, and are gone.</exception>
    public async IAsyncEnumerable<RecordResult> ReadRecordsAsync(
        ApiJob job, int fromChunk, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var chunk in ReadRecordsByChunkAsync(job, fromChunk, cancellationToken))
        {
            foreach (var result in chunk)
                yield return result;
        }
    }

    /// <summary>Reads what happened to each record of a job, in input order and chunk by chunk: the next are read from the store while one is used.</summary>
    /// <inheritdoc cref="ReadRecordsAsync"/>
    public async IAsyncEnumerable<IEnumerable<RecordResult>> ReadRecordsByChunkAsync(
        ApiJob job, int fromChunk, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(job);
        var operation = operations.Find(job.Type);
        var reading = ReadAsync(fromChunk);
        try
        {
            while (await reading is { Count: > 0 } chunks)
            {
                reading = ReadAsync(chunks[^1].Chunk.Index + 1);
                foreach (var chunk in chunks)
                    yield return RecordResults.Of(job, chunk, operation);
            }
        }
        finally
        {
            // What is read ahead is nobody's, if its reader has gone.
            await reading.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }

        async Task<IReadOnlyList<ChunkResult>> ReadAsync(int next)
        {
            const int ChunksAtOnce = 4;
            if (next >= job.ChunkCount)
                return [];
            var chunks = await store.ReadResultsAsync(job.CompanyId, job.Id, next, ChunksAtOnce, cancellationToken);
            // A sealed job has all its chunks until they are removed, the first ones first.
            return chunks.Count > 0 && chunks[0].Chunk.Index == next ? chunks : throw new RecordsRemovedException(job.Id);
        }
    }

    /// <summary>Reads the columns of the CSV body that a job was made of, in their order.</summary>
    /// <returns>Null if the body was not CSV.</returns>
    /// <exception cref="RecordsRemovedException">The records have been kept long enough, and are gone.</exception>
    public async Task<IReadOnlyList<string>?> ReadColumnsAsync(ApiJob job, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(job);
        var chunks = await store.ReadResultsAsync(job.CompanyId, job.Id, 0, 1, cancellationToken);
        return chunks is [{ Chunk: { Index: 0 } first }] ? ChunkPayload.Columns(first.Payload) : throw new RecordsRemovedException(job.Id);
    }

    /// <summary>Reads the kinds of errors that a job's records have so far, the most frequent first.</summary>
    /// <returns>At most <see cref="ErrorGroup.MaxPerJob"/>; what is beyond them is counted in one of them.</returns>
    public Task<IReadOnlyList<ErrorGroup>> ReadErrorsAsync(ApiJob job, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(job);
        return store.ReadErrorsAsync(job.CompanyId, job.Id, cancellationToken);
    }

    /// <summary>Reads how much a company has queued: the jobs that have not ended, and what is on its way into this node. A moment old at the most.</summary>
    public ValueTask<Backlog> ReadBacklogAsync(Guid companyId, CancellationToken cancellationToken) => _admission.ReadAsync(companyId, cancellationToken);

    /// <summary>Estimates how long an unfinished job will still take, from its own progress or the pace of this process's workers.</summary>
    /// <returns>1 to 600 seconds.</returns>
    public TimeSpan EstimateRemaining(ApiJob job) => pace.EstimateRemaining(job, time.GetUtcNow());

    /// <summary>Forgets the ended jobs that were kept for asking.</summary>
    public void Dispose() => _endedJobs.Dispose();

    private ApiJob Accepted(ApiJob job)
    {
        logger.JobAccepted(job.Id, job.Type, job.CompanyId, job.Origin.ClientId, job.TotalRecords);
        return job;
    }

    private async ValueTask<string> ReadStoredMessageAsync(ApiJob job, CancellationToken cancellationToken) => job.MessageEntryCount == 0
        ? ""
        : await store.ReadMessageAsync(job.CompanyId, job.Id, job.NextChunk, cancellationToken);

    // The same request under the same key is the same job, however often it is sent; another one is refused.
    private async Task<ApiJob> FindKeyHolderAsync(NewJob request, SealResult.KeyTaken taken, Task<bool>? append)
    {
        if (!taken.Fingerprint.Span.SequenceEqual(request.Fingerprint.Span))
            throw KeyReused();
        var holder = await store.FindJobAsync(request.CompanyId, taken.JobId, CancellationToken.None) ?? throw KeyGone();
        if (append is not null)
            await AbandonAsync(request.CompanyId, request.Id, append);
        return holder;
    }

    /// <summary>The job of a request that was sent before under the same key, whose body is read here to its end.</summary>
    private async Task<ApiJob?> FindRepeatedAsync(
        Guid companyId, JobOrigin origin, ReadFingerprint? fingerprint, CancellationToken cancellationToken)
    {
        if (origin.IdempotencyKey is not { } key || fingerprint is null
            || await store.FindKeyAsync(companyId, origin.ClientId, key, cancellationToken) is not { } holder)
        {
            return null;
        }

        var sent = await fingerprint(cancellationToken);
        if (!holder.Fingerprint.Span.SequenceEqual(sent.Span))
            throw KeyReused();
        return await store.FindJobAsync(companyId, holder.JobId, cancellationToken) ?? throw KeyGone();
    }

    private async Task<ApiJob?> FindCancelledAsync(Guid companyId, KeyedRequest? request, CancellationToken cancellationToken)
    {
        if (request is null || await store.FindKeyAsync(companyId, request.ClientId, request.Key, cancellationToken) is not { } holder)
            return null;
        return holder.Fingerprint.Span.SequenceEqual(request.Fingerprint.Span)
            ? await store.FindJobAsync(companyId, holder.JobId, cancellationToken)
            : throw KeyReused();
    }

    // What goes on from a job is told by the jobs that do: an ended job never changes.
    private async Task<IReadOnlyList<JobLogLine>> ReadDescentsAsync(ApiJob parent, CancellationToken cancellationToken)
    {
        var children = new List<(JobDescent Descent, ApiJob Job)>();
        foreach (var child in await store.FindChildrenAsync(parent.CompanyId, [parent.Id], cancellationToken))
        {
            if (await FindJobAsync(parent.CompanyId, child.JobId, cancellationToken) is { } job)
                children.Add((child.Descent, job));
        }

        // They are of one lane, like the parent: of two of the same moment, the position says which came first.
        return [.. children.OrderBy(child => child.Job.CreatedAt).ThenBy(child => child.Job.Position).Select(child => JobLogLines.GoesOnAs(child.Descent, child.Job))];
    }

    private async Task<Guid?> FindChildAsync(Guid companyId, Guid parentId, JobDescent descent, CancellationToken cancellationToken) =>
        (await store.FindChildrenAsync(companyId, [parentId], cancellationToken)).FirstOrDefault(child => child.Descent == descent)?.JobId;

    private static async Task EndAppendAsync(Task<bool>? append)
    {
        if (append is not null && !await append)
            throw UploadExpired();
    }

    private async Task AbandonAsync(Guid companyId, Guid jobId, Task<bool> append)
    {
        try
        {
            await append.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            await store.AbandonUploadAsync(companyId, jobId, CancellationToken.None);
        }
        catch (StoreUnavailableException exception)
        {
            logger.UploadLeft(exception, jobId);
        }
    }

    private static RequestFaultException NoRecords() => new(new(
        RequestFaultCodes.NoRecords, "The request has no records. Send at least one."));

    private static RequestFaultException NotRehearsable(BulkOperation operation) => new(new(
        RequestFaultCodes.NotRehearsable,
        $"'{operation.Type}' cannot be rehearsed: it does not say what it would do without doing it. Send the request without dry_run."));

    private static RequestFaultException UploadExpired() => new(new(
        RequestFaultCodes.UploadExpired,
        "The upload stood still for so long that its parts were removed. Send the request again."));

    private static RequestFaultException KeyReused() => new(new(
        RequestFaultCodes.IdempotencyKeyReused,
        "The Idempotency-Key was used for another request before. Send a key of its own with every request, and the same key only with the same request."));

    // Between two looks at it, retention removed the job together with its key: the same request may be sent again now.
    private static StoreUnavailableException KeyGone() =>
        new("The job under the idempotency key was removed just now, some time after its end.");

    private static RequestFaultException AlreadyEnded(Guid jobId) => new(new(
        RequestFaultCodes.AlreadyEnded, $"The job {jobId} has ended already; what it did stays. Ask for the job to see how it ended."));

    private RequestFaultException TooManyRecords() => new(new(
        RequestFaultCodes.TooManyRecords,
        $"The request has more than {_intake.MaxRecords:N0} records. Send fewer, or raise Intake:MaxRecords.")
    {
        RecordIndex = _intake.MaxRecords,
    });
}
