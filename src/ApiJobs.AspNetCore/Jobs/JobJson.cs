using System.Diagnostics;
using System.Text.Json;
using ApiJobs.AspNetCore.Answers;
using ApiJobs.Jobs;
using Microsoft.AspNetCore.Http;

namespace ApiJobs.AspNetCore.Jobs;

/// <summary>Writes a job as the seed shows it: these members, in this order, in these formats.</summary>
/// <remarks>Written by hand because clients may depend on each of its bytes.</remarks>
internal static class JobJson
{
    /// <param name="job">The job.</param>
    /// <param name="entries">The stored entries of its message.</param>
    /// <param name="urls">The paths that it names.</param>
    /// <param name="request">The request that is answered.</param>
    /// <param name="expansion">What is shown beyond the seed's members.</param>
    /// <param name="details">What that needs; null for nothing.</param>
    public static JsonAnswer Answer(
        ApiJob job, string entries, ApiUrls urls, HttpRequest request, JobExpansion expansion, JobDetails? details = null) =>
        JsonAnswer.Of(json => Write(
            json, job, JobMessageText.Render(job, entries, urls.Records(request, job.Id)), urls, request, expansion, details ?? JobDetails.None));

    public static void Write(
        Utf8JsonWriter json, ApiJob job, string message, ApiUrls urls, HttpRequest request, JobExpansion expansion, JobDetails details)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, job.Id);
        json.WriteString("type"u8, job.Type);
        json.WriteString("company_id"u8, job.CompanyId);
        json.WriteSeconds("start_time"u8, job.StartTime);
        json.WriteSeconds("end_time"u8, job.EndTime);
        json.WriteString("status"u8, NameOf(job.Status));
        json.WriteString("message"u8, message);
        json.WriteNumber("total_records"u8, job.TotalRecords);
        json.WriteNumber("effected_records"u8, job.Counts.Effected);
        json.WriteMicroseconds("created_at"u8, job.CreatedAt);
        json.WriteMicroseconds("updated_at"u8, job.UpdatedAt);
        if (expansion.HasFlag(JobExpansion.Counts))
            WriteCounts(json, job);
        if (expansion.HasFlag(JobExpansion.Links))
            WriteLinks(json, job, urls, request, details.ChildId);
        if (expansion.HasFlag(JobExpansion.Failure))
            WriteFailure(json, job.Failure);
        if (expansion.HasFlag(JobExpansion.Origin))
            WriteOrigin(json, job);
        if (expansion.HasFlag(JobExpansion.Progress))
            WriteProgress(json, details.Progress);
        json.WriteEndObject();
    }

    /// <summary>A status as it is written.</summary>
    public static string NameOf(ApiJobStatus status) => status switch
    {
        ApiJobStatus.Pending => "pending",
        ApiJobStatus.Processing => "processing",
        ApiJobStatus.Completed => "completed",
        ApiJobStatus.Failed => "failed",
        _ => throw new ArgumentOutOfRangeException(nameof(status), status, "There is no such status."),
    };

    private static void WriteCounts(Utf8JsonWriter json, ApiJob job)
    {
        json.WriteStartObject("counts"u8);
        json.WriteNumber("created"u8, job.Counts.Created);
        json.WriteNumber("updated"u8, job.Counts.Updated);
        json.WriteNumber("unchanged"u8, job.Counts.Unchanged);
        json.WriteNumber("failed"u8, job.Counts.Failed);
        json.WriteNumber("unprocessed"u8, job.Unprocessed);
        json.WriteEndObject();
    }

    private static void WriteLinks(Utf8JsonWriter json, ApiJob job, ApiUrls urls, HttpRequest request, Guid? childId)
    {
        var self = urls.Job(request, job.Id);
        json.WriteStartObject("links"u8);
        json.WriteString("self"u8, self);
        json.WriteString("records"u8, urls.Records(request, job.Id));
        json.WriteString("errors"u8, $"{self}/errors");
        json.WriteString("events"u8, $"{self}/events");
        json.WriteString("log"u8, $"{self}/log");
        json.WriteString("parent"u8, job.Origin.ParentId is { } parentId ? urls.Job(request, parentId) : null);
        json.WriteString("child"u8, childId is { } child ? urls.Job(request, child) : null);
        json.WriteEndObject();
    }

    private static void WriteFailure(Utf8JsonWriter json, JobFailure? failure)
    {
        if (failure is null)
        {
            json.WriteNull("failure"u8);
            return;
        }

        json.WriteStartObject("failure"u8);
        json.WriteString("code"u8, failure.Code);
        json.WriteString("message"u8, failure.Message);
        json.WriteEndObject();
    }

    private static void WriteOrigin(Utf8JsonWriter json, ApiJob job)
    {
        var origin = job.Origin;
        json.WriteStartObject("origin"u8);
        json.WriteString("client_id"u8, origin.ClientId);
        json.WriteString("parent_id"u8, origin.ParentId?.ToString("D"));
        json.WriteBoolean("dry_run"u8, job.Options.DryRun);
        json.WriteString("idempotency_key"u8, origin.IdempotencyKey);
        json.WriteString("trace_id"u8, ActivityContext.TryParse(origin.TraceParent, null, out var trace) ? trace.TraceId.ToHexString() : null);
        json.WriteEndObject();
    }

    private static void WriteProgress(Utf8JsonWriter json, ProgressEstimate progress)
    {
        json.WriteStartObject("progress"u8);
        if (progress.RecordsPerSecond is { } pace)
            json.WriteNumber("records_per_second"u8, Math.Round(pace, 1));
        else
            json.WriteNull("records_per_second"u8);
        if (progress.EstimatedEndTime is { } end)
            json.WriteMicroseconds("estimated_end_time"u8, end);
        else
            json.WriteNull("estimated_end_time"u8);
        if (progress.Position is { } position)
            json.WriteNumber("position"u8, position);
        else
            json.WriteNull("position"u8);
        json.WriteEndObject();
    }
}
