using System.Text.Json;
using System.Text.Json.Serialization;

namespace ApiJobs.AspNetCore.OpenApi;

/// <summary>Types that describe answers to OpenAPI documents, which call them by these names. The answers themselves are written by hand; tests hold the two together.</summary>
/// <remarks>Numbers are strict, or they would be described as numbers or strings, which is how ASP.NET Core reads them.</remarks>
internal static class Schemas
{
    /// <summary>An API job.</summary>
    [JsonNumberHandling(JsonNumberHandling.Strict)]
    internal sealed record ApiJob(
        [property: JsonPropertyName("id")] Guid Id,
        [property: JsonPropertyName("type")] string Type,
        [property: JsonPropertyName("company_id")] Guid CompanyId,
        [property: JsonPropertyName("start_time")] string? StartTime,
        [property: JsonPropertyName("end_time")] string? EndTime,
        [property: JsonPropertyName("status")] string Status,
        [property: JsonPropertyName("message")] string Message,
        [property: JsonPropertyName("total_records")] long TotalRecords,
        [property: JsonPropertyName("effected_records")] long EffectedRecords,
        [property: JsonPropertyName("created_at")] DateTimeOffset CreatedAt,
        [property: JsonPropertyName("updated_at")] DateTimeOffset UpdatedAt);

    /// <summary>A page of API jobs.</summary>
    internal sealed record ApiJobList([property: JsonPropertyName("data")] IReadOnlyList<ApiJob> Data);

    /// <summary>Something that happened to an API job.</summary>
    internal sealed record ApiJobLogEntry(
        [property: JsonPropertyName("time")] DateTimeOffset Time,
        [property: JsonPropertyName("event")] string Event,
        [property: JsonPropertyName("detail")] string Detail);

    /// <summary>What happened to an API job.</summary>
    internal sealed record ApiJobLog([property: JsonPropertyName("data")] IReadOnlyList<ApiJobLogEntry> Data);

    /// <summary>What happened to a record.</summary>
    [JsonNumberHandling(JsonNumberHandling.Strict)]
    internal sealed record RecordResult(
        [property: JsonPropertyName("index")] long Index,
        [property: JsonPropertyName("key")] string? Key,
        [property: JsonPropertyName("outcome")] string Outcome,
        [property: JsonPropertyName("errors")] IReadOnlyList<RecordError> Errors)
    {
        /// <summary>The line of the request that the record began on, from 1; of CSV and NDJSON only.</summary>
        [JsonPropertyName("line")]
        public long Line { get; init; }

        /// <summary>The record as sent, if it was asked for.</summary>
        [JsonPropertyName("record")]
        public IReadOnlyDictionary<string, JsonElement>? Record { get; init; }
    }

    /// <summary>Why a record was refused.</summary>
    internal sealed record RecordError(
        [property: JsonPropertyName("code")] string Code,
        [property: JsonPropertyName("message")] string Message,
        [property: JsonPropertyName("pointer")] string Pointer);

    /// <summary>A kind of error that records of a job have.</summary>
    [JsonNumberHandling(JsonNumberHandling.Strict)]
    internal sealed record ErrorGroup(
        [property: JsonPropertyName("code")] string Code,
        [property: JsonPropertyName("pointer")] string Pointer,
        [property: JsonPropertyName("count")] long Count,
        [property: JsonPropertyName("first_index")] long FirstIndex,
        [property: JsonPropertyName("message")] string Message);

    /// <summary>The kinds of errors that the records of a job have.</summary>
    internal sealed record ErrorGroups([property: JsonPropertyName("data")] IReadOnlyList<ErrorGroup> Data);

    /// <summary>A page of what happened to records.</summary>
    internal sealed record RecordResults([property: JsonPropertyName("data")] IReadOnlyList<RecordResult> Data);

    /// <summary>What a caller may take, and has taken.</summary>
    internal sealed record Limits(
        [property: JsonPropertyName("client_requests")] RequestLimit? ClientRequests,
        [property: JsonPropertyName("company_requests")] RequestLimit? CompanyRequests,
        [property: JsonPropertyName("open_uploads")] UseLimit OpenUploads,
        [property: JsonPropertyName("queued_records")] UseLimit QueuedRecords,
        [property: JsonPropertyName("queued_bytes")] UseLimit QueuedBytes,
        [property: JsonPropertyName("bulk_request")] BulkRequestLimits BulkRequest);

    /// <summary>How many requests may be sent.</summary>
    [JsonNumberHandling(JsonNumberHandling.Strict)]
    internal sealed record RequestLimit(
        [property: JsonPropertyName("per_second")] int PerSecond,
        [property: JsonPropertyName("burst")] int Burst,
        [property: JsonPropertyName("remaining")] long Remaining,
        [property: JsonPropertyName("reset_seconds")] long ResetSeconds);

    /// <summary>How much may be there at a time.</summary>
    [JsonNumberHandling(JsonNumberHandling.Strict)]
    internal sealed record UseLimit(
        [property: JsonPropertyName("limit")] long? Limit,
        [property: JsonPropertyName("used")] long? Used,
        [property: JsonPropertyName("remaining")] long? Remaining);

    /// <summary>What one bulk request may bring.</summary>
    [JsonNumberHandling(JsonNumberHandling.Strict)]
    internal sealed record BulkRequestLimits(
        [property: JsonPropertyName("max_records")] long MaxRecords,
        [property: JsonPropertyName("max_body_bytes")] long MaxBodyBytes,
        [property: JsonPropertyName("max_decompressed_bytes")] long MaxDecompressedBytes,
        [property: JsonPropertyName("max_compression_ratio")] int MaxCompressionRatio,
        [property: JsonPropertyName("max_record_bytes")] int MaxRecordBytes,
        [property: JsonPropertyName("max_depth")] int MaxDepth);
}
