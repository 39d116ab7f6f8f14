using ApiJobs.Intake;
using ApiJobs.Records;

namespace ApiJobs.Jobs;

/// <summary>What each way of going on from a job asks of it, and takes of it.</summary>
internal static class JobDescents
{
    /// <summary>Whether a record goes into the new job.</summary>
    public static bool Takes(this JobDescent descent, RecordOutcome outcome) =>
        descent == JobDescent.Promotion || outcome is RecordOutcome.Failed or RecordOutcome.Unprocessed;

    /// <summary>Why nothing can go on from a job in this way; null if it can.</summary>
    public static RequestFault? Refuses(this JobDescent descent, ApiJob parent)
    {
        if (descent == JobDescent.Promotion && !parent.Options.DryRun)
        {
            return new(
                RequestFaultCodes.NotARehearsal,
                $"The job {parent.Id} is no rehearsal: it has changed rows itself. Promote a job that was sent with dry_run=true.");
        }

        return parent.HasEnded ? null : new(
            RequestFaultCodes.NotEnded, $"The job {parent.Id} has not ended. Wait for its end, or cancel it, and send the request again.");
    }

    /// <summary>Why there is nothing for the new job to do; null if there is.</summary>
    public static RequestFault? HasNothing(this JobDescent descent, ApiJob parent) =>
        descent == JobDescent.Retry && parent.Counts.Failed + parent.Unprocessed == 0
            ? new(RequestFaultCodes.NothingToRetry, $"No record of the job {parent.Id} failed or was left unprocessed. There is nothing to do.")
            : null;

    /// <summary>The fault of a second request to go on in this way.</summary>
    public static RequestFault Taken(this JobDescent descent, Guid parentId, Guid childId) => (descent == JobDescent.Retry
        ? new RequestFault(
            RequestFaultCodes.AlreadyRetried,
            $"The job {parentId} was retried before, as the job {childId}. Ask for that job; if records failed there too, retry that one.")
        : new RequestFault(
            RequestFaultCodes.AlreadyPromoted, $"The rehearsal {parentId} was promoted before, as the job {childId}. Ask for that job."))
        with
    { ChildId = childId };

    /// <summary>The fault of a job whose operation this program does not have.</summary>
    public static RequestFault OperationGone(ApiJob parent) => new(
        RequestFaultCodes.UnknownOperation,
        $"This server has no operation {parent.Type} any more, so its records cannot be done again here. Read them, and send them to one that there is.");
}
