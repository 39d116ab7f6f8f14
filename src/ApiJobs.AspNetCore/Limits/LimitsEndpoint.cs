using System.Text.Json;
using ApiJobs.Admission;
using ApiJobs.AspNetCore.Answers;
using ApiJobs.AspNetCore.Callers;
using ApiJobs.Intake;
using ApiJobs.Storage;
using Microsoft.AspNetCore.Http;

namespace ApiJobs.AspNetCore.Limits;

/// <summary>Tells a caller its own limits, with what is used and left of them; nothing of what others use.</summary>
internal sealed class LimitsEndpoint(ApiJobEngine engine, AdmissionOptions admission, IntakeOptions intake, RequestLimits requests, UploadLimits uploads)
{
    public async Task GetAsync(HttpContext context)
    {
        var caller = context.Caller();
        var backlog = await engine.ReadBacklogAsync(caller.CompanyId, context.RequestAborted);
        await JsonAnswer.Of(json => Write(json, caller, backlog)).WriteAsync(context.Response);
    }

    private void Write(Utf8JsonWriter json, ApiJobCaller caller, Backlog backlog)
    {
        json.WriteStartObject();
        WriteRequests(json, "client_requests"u8, requests.Client, caller);
        WriteRequests(json, "company_requests"u8, requests.Company, caller);
        WriteUse(json, "open_uploads"u8, admission.OpenUploadsPerCompany, uploads.OpenOf(caller.CompanyId));
        WriteUse(json, "queued_records"u8, admission.QueuedRecordsPerCompany, backlog.Records);
        WriteUse(json, "queued_bytes"u8, admission.QueuedBytesPerCompany, backlog.Bytes);
        json.WriteStartObject("bulk_request"u8);
        json.WriteNumber("max_records"u8, intake.MaxRecords);
        json.WriteNumber("max_body_bytes"u8, intake.MaxBodyBytes);
        json.WriteNumber("max_decompressed_bytes"u8, intake.MaxDecompressedBytes);
        json.WriteNumber("max_compression_ratio"u8, intake.MaxCompressionRatio);
        json.WriteNumber("max_record_bytes"u8, intake.MaxRecordBytes);
        json.WriteNumber("max_depth"u8, intake.MaxDepth);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteRequests(Utf8JsonWriter json, ReadOnlySpan<byte> name, RequestLimit? limit, ApiJobCaller caller)
    {
        if (limit is null)
        {
            json.WriteNull(name);
            return;
        }

        var (left, fullInSeconds) = limit.Left(caller);
        json.WriteStartObject(name);
        json.WriteNumber("per_second"u8, limit.PerSecond);
        json.WriteNumber("burst"u8, limit.Burst);
        json.WriteNumber("remaining"u8, left);
        json.WriteNumber("reset_seconds"u8, fullInSeconds);
        json.WriteEndObject();
    }

    private static void WriteUse(Utf8JsonWriter json, ReadOnlySpan<byte> name, long limit, long? used)
    {
        json.WriteStartObject(name);
        WriteOrNull(json, "limit"u8, limit == 0 ? null : limit);
        WriteOrNull(json, "used"u8, used);
        // More than the limit may be queued: by several nodes at once, or because the limit was lowered.
        WriteOrNull(json, "remaining"u8, limit == 0 ? null : Math.Max(0, limit - used.GetValueOrDefault()));
        json.WriteEndObject();
    }

    private static void WriteOrNull(Utf8JsonWriter json, ReadOnlySpan<byte> name, long? value)
    {
        if (value is { } number)
            json.WriteNumber(name, number);
        else
            json.WriteNull(name);
    }
}
