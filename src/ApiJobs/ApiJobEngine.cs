using System.Runtime.CompilerServices;
using ApiJobs.Intake;
using ApiJobs.Jobs;
using ApiJobs.Operations;
using ApiJobs.Processing;
using ApiJobs.Records;
using ApiJobs.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace ApiJobs;

/// <summary>The engine as its callers see it: accepts bulk requests as API jobs and answers what became of them.</summary>
/// <remarks>The work itself is done by <see cref="Worker"/>s, in this process or in others on the same store.</remarks>
public sealed class ApiJobEngine(
    IJobStore store,
    OperationCatalog operations,
    IOptions<IntakeOptions> intakeOptions,
    WorkPace pace,
    TimeProvider time,
    ILogger<ApiJobEngine> logger) : IDisposable
{
    private readonly IntakeOptions _intake = intakeOptions.Value;
    private readonly EndedJobs _endedJobs = new();

    /// <summary>Reads a request's records to the end and makes a job of them, all or nothing.</summary>
    /// <returns>The pending job; every one of its records is durable.</returns>
    /// <exception cref="RequestFaultException">The body cannot be accepted; nothing of it remains.</exception>
    /// <exception cref="StoreUnavailableException">The store cannot take it now; nothing of it remains, or will once it is swept.</exception>
    public async Task<ApiJob> AcceptAsync(BulkRequest request, RecordReader records, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(records);
        var jobId = Guid.CreateVersion7(time.GetUtcNow());
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
                    append = store.AppendChunkAsync(request.CompanyId, jobId, chunks.Close(), cancellationToken);
                }

                chunks.Add(records);
            }

            await EndAppendAsync(append);
            if (chunks.TotalRecords == 0)
                throw NoRecords();

            // From here on the caller's hanging up changes nothing: the records are all here, and the job is made.
            var lastChunk = chunks.Close();
            var job = new NewJob
            {
                Id = jobId,
                CompanyId = request.CompanyId,
                Type = request.Operation.Type,
                Lane = request.Operation.Lane,
                Options = request.Options,
                Origin = request.Origin,
                Fingerprint = request.Fingerprint,
                TotalRecords = chunks.TotalRecords,
                TotalBytes = chunks.TotalBytes,
            };
            return await store.SealJobAsync(job, lastChunk, CancellationToken.None) switch
            {
                SealResult.Sealed made => Accepted(made.Job),
                SealResult.KeyTaken taken => await FindKeyHolderAsync(request, taken, jobId, append),
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

    /// <summary>Ends a job as failed: the records without an outcome stay unprocessed.</summary>
    /// <remarks>The chunk at hand is either applied before the end, or rolled back. May be called again when the answer was lost.</remarks>
    /// <param name="companyId">The company.</param>
    /// <param name="jobId">The job.</param>
    /// <param name="failure">Why it does not run to its end.</param>
    /// <param name="cancellationToken">Cancels before the end is durable.</param>
    public async Task<EndResult> EndJobAsync(Guid companyId, Guid jobId, JobFailure failure, CancellationToken cancellationToken)
    {
        var result = await store.EndJobAsync(companyId, jobId, failure, cancellationToken);
        // The job is read again rather than made up, so that what is kept of ended jobs is what the store says.
        if (result == EndResult.Ended && await FindJobAsync(companyId, jobId, cancellationToken) is { } ended)
            logger.JobEnded(ended);
        return result;
    }

    /// <summary>Reads the entries of a job's message, of the moment at which the job was read.</summary>
    /// <returns>Whole entries in input order, joined by nothing; empty if there are none.</returns>
    public async ValueTask<string> ReadMessageAsync(ApiJob job, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(job);
        return job.HasEnded && _endedJobs.Find(job.CompanyId, job.Id) is { } ended
            ? ended.Message
            : await ReadStoredMessageAsync(job, cancellationToken);
    }

    /// <summary>Reads what happened to each record of a job, in input order.</summary>
    /// <param name="job">The job, as read just now: records it has not processed are given as unprocessed.</param>
    /// <param name="fromChunk">The chunk to begin with (<see cref="RecordResult.ChunkIndex"/>).</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="RecordsRemovedException">The records have been kept long enough, and are gone.</exception>
    public async IAsyncEnumerable<RecordResult> ReadRecordsAsync(
        ApiJob job, int fromChunk, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(job);
        const int ChunksAtOnce = 4;
        var operation = operations.Find(job.Type);
        for (var next = fromChunk; next < job.ChunkCount; next += ChunksAtOnce)
        {
            var chunks = await store.ReadResultsAsync(job.CompanyId, job.Id, next, ChunksAtOnce, cancellationToken);
            // A sealed job has all its chunks until they are removed, the first ones first.
            if (chunks.Count == 0 || chunks[0].Chunk.Index != next)
                throw new RecordsRemovedException(job.Id);
            foreach (var chunk in chunks)
            {
                foreach (var result in RecordResults.Of(job, chunk, operation))
                    yield return result;
            }
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
    private async Task<ApiJob> FindKeyHolderAsync(BulkRequest request, SealResult.KeyTaken taken, Guid jobId, Task<bool>? append)
    {
        if (!taken.Fingerprint.Span.SequenceEqual(request.Fingerprint.Span))
            throw KeyReused();
        var holder = await store.FindJobAsync(request.CompanyId, taken.JobId, CancellationToken.None) ?? throw KeyReused();
        if (append is not null)
            await AbandonAsync(request.CompanyId, jobId, append);
        return holder;
    }

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

    private static RequestFaultException UploadExpired() => new(new(
        RequestFaultCodes.UploadExpired,
        "The upload stood still for so long that its parts were removed. Send the request again."));

    private static RequestFaultException KeyReused() => new(new(
        RequestFaultCodes.IdempotencyKeyReused,
        "The Idempotency-Key was used for another request before. Send a key of its own with every request, and the same key only with the same request."));

    private RequestFaultException TooManyRecords() => new(new(
        RequestFaultCodes.TooManyRecords,
        $"The request has more than {_intake.MaxRecords:N0} records. Send fewer, or raise Intake:MaxRecords.")
    {
        RecordIndex = _intake.MaxRecords,
    });
}
