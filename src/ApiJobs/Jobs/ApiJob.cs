namespace ApiJobs.Jobs;

/// <summary>The asynchronous resource that a bulk request creates and its caller polls.</summary>
/// <remarks>
/// A snapshot: it does not change after it was read. Nothing here is stored twice; the status follows from the
/// two times and <see cref="Failure"/>, so "<c>end_time</c> is set exactly when the job has ended" cannot be broken.
/// </remarks>
public sealed record ApiJob
{
    /// <summary>The job's id, a UUID v7.</summary>
    public required Guid Id { get; init; }

    /// <summary>The company that owns the job and every record it touches.</summary>
    public required Guid CompanyId { get; init; }

    /// <summary>What the job does: <c>{resource}_bulk_{operation}</c>, for example <c>customer_case_bulk_update</c>.</summary>
    public required string Type { get; init; }

    /// <summary>The lane the job runs in: one company's queue. Empty is the company's main lane.</summary>
    public string Lane { get; init; } = "";

    /// <summary>Where the job stands in its lane: consecutive from 1, given when the job is sealed.</summary>
    public required long Position { get; init; }

    /// <summary>What the request asked for beyond its type.</summary>
    public JobOptions Options { get; init; } = JobOptions.None;

    /// <summary>Who asked for the job, and how.</summary>
    public JobOrigin Origin { get; init; } = JobOrigin.Unknown;

    /// <summary>The number of records accepted.</summary>
    public required long TotalRecords { get; init; }

    /// <summary>What the records take as they are stored, in bytes.</summary>
    public long TotalBytes { get; init; }

    /// <summary>How many records may fail before the job is given up; null for any number.</summary>
    public long? MaxFailed { get; init; }

    /// <summary>The number of chunks the records are stored in.</summary>
    public required int ChunkCount { get; init; }

    /// <summary>The cursor: the number of the next chunk to apply. Equal to <see cref="ChunkCount"/> when all are applied.</summary>
    public int NextChunk { get; init; }

    /// <summary>What has happened to the records so far.</summary>
    public OutcomeCounts Counts { get; init; }

    /// <summary>When the request was accepted, UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When the job last changed, UTC.</summary>
    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>When work on the job began, UTC; null until then.</summary>
    public DateTimeOffset? StartTime { get; init; }

    /// <summary>When the job ended, UTC; null until then.</summary>
    public DateTimeOffset? EndTime { get; init; }

    /// <summary>Why the job could not run to its end; null for a job that has not failed.</summary>
    public JobFailure? Failure { get; init; }

    /// <summary>How many entries of the job's message are stored: one for each record that was not effected, up to the bound.</summary>
    /// <remarks>
    /// The text is read apart (<see cref="Storage.IJobStore.ReadMessageAsync"/>). Once an entry did not fit, no later one is added: so the
    /// message is closed exactly when the job has more records that were not effected than entries, and needs no flag to say so.
    /// </remarks>
    public long MessageEntryCount { get; init; }

    /// <summary>How many bytes of UTF-8 the stored entries are.</summary>
    public int MessageBytes { get; init; }

    /// <summary>Pending, processing, completed or failed; derived.</summary>
    public ApiJobStatus Status => EndTime is null
        ? StartTime is null ? ApiJobStatus.Pending : ApiJobStatus.Processing
        : Failure is null ? ApiJobStatus.Completed : ApiJobStatus.Failed;

    /// <summary>Whether the job has ended. An ended job never changes.</summary>
    public bool HasEnded => EndTime is not null;

    /// <summary>Records that have no outcome yet, or never will because the job failed.</summary>
    public long Unprocessed => TotalRecords - Counts.Processed;
}
