using System.Text.Json.Serialization;

namespace ApiJobs.AspNetCore.Routing;

// These types describe answers to OpenAPI documents; the answers themselves are written by hand. A test holds the two together.

/// <summary>An API job, as answered.</summary>
internal sealed record JobSchema(
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

/// <summary>What happened to a record, as answered.</summary>
internal sealed record RecordResultSchema(
    [property: JsonPropertyName("index")] long Index,
    [property: JsonPropertyName("key")] string? Key,
    [property: JsonPropertyName("outcome")] string Outcome,
    [property: JsonPropertyName("errors")] IReadOnlyList<RecordErrorSchema> Errors);

/// <summary>Why a record was refused, as answered.</summary>
internal sealed record RecordErrorSchema(
    [property: JsonPropertyName("code")] string Code,
    [property: JsonPropertyName("message")] string Message,
    [property: JsonPropertyName("pointer")] string Pointer);

/// <summary>A page of a list, as answered.</summary>
internal sealed record ListSchema<T>([property: JsonPropertyName("data")] IReadOnlyList<T> Data);
