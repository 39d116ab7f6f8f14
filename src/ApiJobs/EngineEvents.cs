using ApiJobs.Jobs;
using Microsoft.Extensions.Logging;

namespace ApiJobs;

/// <summary>Everything the engine logs, with the ids that operators filter by. An id never changes its meaning.</summary>
internal static partial class EngineEvents
{
    // 100–199: jobs. Two lines a job, at its acceptance and at its end.

    [LoggerMessage(100, LogLevel.Information,
        "Job {JobId} was accepted: {Type} of company {CompanyId} by client {ClientId}, {RecordCount} records.")]
    public static partial void JobAccepted(this ILogger logger, Guid jobId, string type, Guid companyId, string? clientId, long recordCount);

    [LoggerMessage(101, LogLevel.Information,
        "Job {JobId} has ended as {Status}: {Type} of company {CompanyId} by client {ClientId}, {Created} created, {Updated} updated, "
        + "{Unchanged} unchanged, {Failed} failed, {Unprocessed} unprocessed, {DurationSeconds:F3} s after it was accepted.")]
    private static partial void JobEnded(
        this ILogger logger, Guid jobId, ApiJobStatus status, string type, Guid companyId, string? clientId,
        long created, long updated, long unchanged, long failed, long unprocessed, double durationSeconds);

    public static void JobEnded(this ILogger logger, ApiJob job)
    {
        var (created, updated, unchanged, failed) = job.Counts;
        logger.JobEnded(
            job.Id, job.Status, job.Type, job.CompanyId, job.Origin.ClientId, created, updated, unchanged, failed, job.Unprocessed,
            (job.EndTime!.Value - job.CreatedAt).TotalSeconds);
    }

    [LoggerMessage(102, LogLevel.Warning, "The parts of upload {JobId} could not be removed now; they will be swept away.")]
    public static partial void UploadLeft(this ILogger logger, Exception exception, Guid jobId);

    // 200–299: records and their operations.

    [LoggerMessage(200, LogLevel.Warning,
        "A group of {RecordCount} records from job {JobId} on was rolled back; its records are tried in smaller groups.")]
    public static partial void GroupIsolated(this ILogger logger, Exception exception, long recordCount, Guid jobId);

    [LoggerMessage(201, LogLevel.Error,
        "{Operation} crashed on record {RecordIndex} of job {JobId}, or took too long, {Strikes} of {MaxStrikes} times.")]
    public static partial void RecordCrashed(this ILogger logger, Exception exception, string operation, long recordIndex, Guid jobId, int strikes, int maxStrikes);

    [LoggerMessage(202, LogLevel.Error, "{Operation} crashed while it prepared {RecordCount} records of job {JobId}; they failed. The first was record {RecordIndex}.")]
    public static partial void PreparingCrashed(this ILogger logger, Exception exception, string operation, int recordCount, Guid jobId, long recordIndex);

    [LoggerMessage(203, LogLevel.Error, "{Operation} asked the database for what it does not have with record {RecordIndex} of job {JobId}, and not with others; the record failed.")]
    public static partial void RecordAskedForWhatIsNotThere(this ILogger logger, Exception exception, string operation, long recordIndex, Guid jobId);

    // 300–399: lanes and leases.

    [LoggerMessage(300, LogLevel.Error,
        "Lane '{Lane}' of company {CompanyId} cannot go on, for the {FaultCount}. time in a row; it is left alone for {PauseMilliseconds:N0} ms.")]
    public static partial void LaneIll(this ILogger logger, Exception exception, string lane, Guid companyId, int faultCount, double pauseMilliseconds);

    [LoggerMessage(301, LogLevel.Information, "Lane '{Lane}' of company {CompanyId} goes on again after {FaultCount} faults.")]
    public static partial void LaneWell(this ILogger logger, string lane, Guid companyId, int faultCount);

    [LoggerMessage(302, LogLevel.Warning, "The lease of lane '{Lane}' of company {CompanyId} is lost; the worker stops there.")]
    public static partial void LeaseLost(this ILogger logger, string lane, Guid companyId);

    [LoggerMessage(303, LogLevel.Information, "The cursor of job {JobId} was moved by somebody else; the group was dropped.")]
    public static partial void GroupDropped(this ILogger logger, Guid jobId);

    [LoggerMessage(304, LogLevel.Warning, "Lane '{Lane}' of company {CompanyId} is taken over from {Holder}, whose lease has run out.")]
    public static partial void LaneTakenOver(this ILogger logger, string lane, Guid companyId, string holder);

    // 400–499: the node.

    [LoggerMessage(400, LogLevel.Warning, "The store cannot serve now; work goes on when it can. This is said once.")]
    public static partial void StoreAway(this ILogger logger, Exception exception);

    [LoggerMessage(401, LogLevel.Information, "The store serves again, after {OutageSeconds:F1} s.")]
    public static partial void StoreBack(this ILogger logger, double outageSeconds);

    [LoggerMessage(402, LogLevel.Error, "A worker could not go on; it tries again in {PauseMilliseconds:N0} ms.")]
    public static partial void WorkerPaused(this ILogger logger, Exception exception, double pauseMilliseconds);

    [LoggerMessage(403, LogLevel.Critical, "A background loop of this node has ended by a fault; the others are stopped, and the application with them.")]
    public static partial void LoopEnded(this ILogger logger, Exception exception);

    [LoggerMessage(404, LogLevel.Warning, "The store does not say what became of the {JobCount} jobs that are waited for on this node; it is asked again until it does. This is said once.")]
    public static partial void WatchIsBlind(this ILogger logger, Exception exception, int jobCount);

    // 500–599: keeping house.

    [LoggerMessage(500, LogLevel.Information, "{UploadCount} broken uploads were swept away.")]
    public static partial void UploadsSwept(this ILogger logger, int uploadCount);

    [LoggerMessage(501, LogLevel.Information, "What ended long enough ago was removed, in {StepCount} steps.")]
    public static partial void EndedRemoved(this ILogger logger, int stepCount);

    [LoggerMessage(502, LogLevel.Error, "The store could not be cleaned up now; it is tried again in {Interval}.")]
    public static partial void HousekeepingFailed(this ILogger logger, Exception exception, TimeSpan interval);
}
