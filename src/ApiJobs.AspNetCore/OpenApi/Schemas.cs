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
}
