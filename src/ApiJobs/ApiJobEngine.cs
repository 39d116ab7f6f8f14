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
        var acceptedAt = time.GetUtcNow();
        var jobId = Guid.CreateVersion7(acceptedAt);
        var chunks = new ChunkBuilder(_intake);
        Task<bool>? append = null;
        try
        {
            while (await records.ReadAsync(cancellationToken))
            {
                if (chunks.TotalRecords == 0)
                    HeaderCheck.Check(request, records);
                if (chunks.TotalRecords == _intake.MaxRecords)
                    throw TooManyRecords();
                if (chunks.IsFullFor(records.Current))
                {
                    await EndAppendAsync(append);
                    append = store.AppendChunkAsync(request.CompanyId, jobId, chunks.Close(), cancellationToken);
                }

                chunks.Add(records.Current);
            }

            await EndAppendAsync(append);
            if (chunks.TotalRecords == 0)
                throw NoRecords();

            // From here on the caller's hanging up changes nothing: the records are all here, and the job is made.
            var job = new NewJob
            {
                Id = jobId,
                CompanyId = request.CompanyId,
                Type = request.Operation.Type,
                Lane = request.Operation.Lane,
                Options = request.Options,
                TotalRecords = chunks.TotalRecords,
                CreatedAt = acceptedAt,
            };
            return await store.SealJobAsync(job, chunks.Close(), CancellationToken.None) ?? throw UploadExpired();
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
            return ended;
        var job = await store.FindJobAsync(companyId, jobId, cancellationToken);
        if (job is { HasEnded: true })
            _endedJobs.Keep(job);
        return job;
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

    /// <summary>Estimates how long an unfinished job will still take, from its own progress or the pace of this process's workers.</summary>
    /// <returns>1 to 600 seconds.</returns>
    public TimeSpan EstimateRemaining(ApiJob job) => pace.EstimateRemaining(job, time.GetUtcNow());

    /// <summary>Forgets the ended jobs that were kept for asking.</summary>
    public void Dispose() => _endedJobs.Dispose();

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
            logger.LogWarning(exception, "The parts of upload {JobId} could not be removed now; they will be swept away.", jobId);
        }
    }

    private static RequestFaultException NoRecords() => new(new(
        RequestFaultCodes.NoRecords, "The request has no records. Send at least one."));

    private static RequestFaultException UploadExpired() => new(new(
        RequestFaultCodes.UploadExpired,
        "The upload stood still for so long that its parts were removed. Send the request again."));

    private RequestFaultException TooManyRecords() => new(new(
        RequestFaultCodes.TooManyRecords,
        $"The request has more than {_intake.MaxRecords:N0} records. Send fewer, or raise Intake:MaxRecords.")
    {
        RecordIndex = _intake.MaxRecords,
    });
}
