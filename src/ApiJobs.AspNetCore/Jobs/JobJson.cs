using System.Text.Json;
using ApiJobs.AspNetCore.Answers;
using ApiJobs.Jobs;
using Microsoft.AspNetCore.Http;

namespace ApiJobs.AspNetCore.Jobs;

/// <summary>What an answer shows of a job beyond the seed's members.</summary>
[Flags]
internal enum JobExpansion
{
    None = 0,
    Counts = 1,
    Links = 2,
}

/// <summary>Writes a job as the seed shows it: these members, in this order, in these formats.</summary>
/// <remarks>Written by hand because clients may depend on each of its bytes.</remarks>
internal static class JobJson
{
    public static JsonAnswer Answer(ApiJob job, string message, ApiUrls urls, HttpRequest request, JobExpansion expansion) =>
        Answer(job, message, urls.Job(request, job.Id), urls.Records(request, job.Id), expansion);

    public static JsonAnswer Answer(ApiJob job, string message, string self, string records, JobExpansion expansion) =>
        JsonAnswer.Of(json => Write(json, job, message, self, records, expansion));

    private static void Write(Utf8JsonWriter json, ApiJob job, string message, string self, string records, JobExpansion expansion)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, job.Id);
        json.WriteString("type"u8, job.Type);
        json.WriteString("company_id"u8, job.CompanyId);
        json.WriteSeconds("start_time"u8, job.StartTime);
        json.WriteSeconds("end_time"u8, job.EndTime);
        json.WriteString("status"u8, StatusName(job.Status));
        json.WriteString("message"u8, JobMessageText.Render(job, message, records));
        json.WriteNumber("total_records"u8, job.TotalRecords);
        json.WriteNumber("effected_records"u8, job.Counts.Effected);
        json.WriteMicroseconds("created_at"u8, job.CreatedAt);
        json.WriteMicroseconds("updated_at"u8, job.UpdatedAt);
        if (expansion.HasFlag(JobExpansion.Counts))
            WriteCounts(json, job);
        if (expansion.HasFlag(JobExpansion.Links))
            WriteLinks(json, self, records);
        json.WriteEndObject();
    }

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

    private static void WriteLinks(Utf8JsonWriter json, string self, string records)
    {
        json.WriteStartObject("links"u8);
        json.WriteString("self"u8, self);
        json.WriteString("records"u8, records);
        json.WriteEndObject();
    }

    private static ReadOnlySpan<byte> StatusName(ApiJobStatus status) => status switch
    {
        ApiJobStatus.Pending => "pending"u8,
        ApiJobStatus.Processing => "processing"u8,
        ApiJobStatus.Completed => "completed"u8,
        ApiJobStatus.Failed => "failed"u8,
        _ => throw new ArgumentOutOfRangeException(nameof(status), status, "There is no such status."),
    };
}
