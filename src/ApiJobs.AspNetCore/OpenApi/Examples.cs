using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ApiJobs.AspNetCore.Answers;
using ApiJobs.AspNetCore.Jobs;
using ApiJobs.AspNetCore.Resources;
using ApiJobs.Jobs;
using ApiJobs.Records;
using ApiJobs.Resources;
using Microsoft.AspNetCore.Http;

namespace ApiJobs.AspNetCore.OpenApi;

/// <summary>Answers as they are written: by what writes them, of a job that might be.</summary>
internal sealed class Examples(ApiUrls urls)
{
    private static readonly DateTimeOffset Began = new(2024, 2, 21, 10, 21, 31, TimeSpan.Zero);

    private static readonly ApiJob Pending = new()
    {
        Id = Guid.Parse("43dbbc35-d114-4da5-a1c0-6abbea6d7bf5"),
        CompanyId = Guid.Parse("aff00be6-f734-4094-a8ae-62874485dac0"),
        Type = "customer_case_bulk_update",
        Position = 1,
        TotalRecords = 773,
        ChunkCount = 1,
        CreatedAt = Began,
        UpdatedAt = Began,
        Origin = new() { ClientId = "importer", IdempotencyKey = "2024-02-21", TraceParent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" },
    };

    private static readonly ApiJob Completed = Pending with
    {
        StartTime = Began,
        EndTime = Began.AddSeconds(4),
        UpdatedAt = Began.AddSeconds(4),
        NextChunk = 1,
        Counts = new(Created: 0, Updated: 772, Unchanged: 0, Failed: 1),
        MessageEntryCount = 1,
    };

    private static readonly ApiJob Cancelled = Completed with
    {
        Counts = default,
        NextChunk = 0,
        MessageEntryCount = 0,
        Failure = JobFailure.Cancelled("importer"),
    };

    private static readonly RecordError NotFound = new(RecordErrorCodes.NotFound, "The case does not exist.", "/id");

    private static readonly RecordResult[] Records =
    [
        new(0, "4528a261-917d-4cbc-939e-7ea48cffca69", RecordOutcome.Updated, [], 0) { Line = 2 },
        new(1, "53c3a84d-8eef-4015-8bc6-499f8eccd161", RecordOutcome.Failed, [NotFound], 0) { Line = 3 },
    ];

    private static readonly JobLogLine[] LogLines =
    [
        new(Began, JobLogEvents.Accepted, "773 records were accepted."),
        new(Began.AddSeconds(2), JobLogEvents.TakenOver, "Another node took the lane over from one that did not renew its lease."),
    ];

    private static readonly HttpRequest Request = new DefaultHttpContext().Request;

    public static IReadOnlyDictionary<string, JsonNode> None { get; } = new Dictionary<string, JsonNode>();

    public IReadOnlyDictionary<string, JsonNode> Accepted => Named("accepted", Parse(Job(Pending)));

    public IReadOnlyDictionary<string, JsonNode> Ended => Named("completed", Parse(Job(Completed)));

    public IReadOnlyDictionary<string, JsonNode> CancelledJob => Named("cancelled", Parse(Job(Cancelled)));

    public IReadOnlyDictionary<string, JsonNode> Jobs => new Dictionary<string, JsonNode>
    {
        ["pending"] = Parse(Job(Pending)),
        ["completed"] = Parse(Job(Completed)),
        ["everything"] = Parse(Job(Completed, JobExpansion.Counts | JobExpansion.Links | JobExpansion.Failure | JobExpansion.Origin | JobExpansion.Progress)),
        ["failed"] = Parse(Job(Cancelled, JobExpansion.Counts | JobExpansion.Failure)),
    };

    public IReadOnlyDictionary<string, JsonNode> JobList => Named("page", new JsonObject { ["data"] = new JsonArray(Parse(Job(Completed))) });

    public static IReadOnlyDictionary<string, JsonNode> Log => Named("log", Written(json => JobLogEndpoint.Write(json, LogLines)));

    public static IReadOnlyDictionary<string, JsonNode> Errors => Named("errors", Written(json => ErrorsEndpoint.Write(json, ErrorGroup.Of([new(1, "53c3a84d-8eef-4015-8bc6-499f8eccd161", [NotFound])]))));

    public static IReadOnlyDictionary<string, JsonNode> RecordPage => Named("page", Parse(Text(new JsonRecordsWriter(includesRecord: false))));

    public static IReadOnlyDictionary<string, JsonNode> RecordLines => Named("lines", Text(new NdjsonRecordsWriter(includesRecord: false)));

    public static IReadOnlyDictionary<string, JsonNode> RecordTable => Named("table", Text(new CsvRecordsWriter(columns: null, clearToken: "NULL", isRaw: false)));

    public IReadOnlyDictionary<string, JsonNode> Events => Named("events", Encoding.UTF8.GetString(
        EventStream.Event("api_job.completed", ProgressCursor.Of(Completed).ToString(), Encoding.UTF8.GetBytes(Job(Completed, JobExpansion.Counts | JobExpansion.Progress))).Span));

    public static IReadOnlyDictionary<string, JsonNode> Row(Resource resource) =>
        Named(resource.Name, Written(json => RowJson.Write(json, resource, RowSchemas.ExampleRow(resource, Began))));

    public static IReadOnlyDictionary<string, JsonNode> Rows(Resource resource) =>
        Named(resource.Path, Written(json => RowJson.WriteList(json, resource, [RowSchemas.ExampleRow(resource, Began)])));

    public static IReadOnlyDictionary<string, JsonNode> Limits => Named("limits", Parse(
        """
        {
          "client_requests": { "per_second": 100, "burst": 200, "remaining": 199, "reset_seconds": 1 },
          "company_requests": null,
          "open_uploads": { "limit": 32, "used": 1, "remaining": 31 },
          "queued_records": { "limit": null, "used": 773, "remaining": null },
          "queued_bytes": { "limit": null, "used": 98304, "remaining": null },
          "bulk_request": {
            "max_records": 1000000, "max_body_bytes": 268435456, "max_decompressed_bytes": 1073741824, "max_compression_ratio": 200,
            "max_record_bytes": 1048576, "max_depth": 64
          }
        }
        """));

    /// <summary>A record's fields of one value as a table.</summary>
    public static IReadOnlyDictionary<string, JsonNode> Table(JsonObject record)
    {
        var cells = record.Where(field => field.Value is JsonValue).ToArray();
        return Named("table", $"{string.Join(',', cells.Select(cell => cell.Key))}\r\n{string.Join(',', cells.Select(cell => cell.Value!.ToString()))}\r\n");
    }

    /// <summary>A problem of a kind.</summary>
    public static JsonNode Of(ProblemKind kind) =>
        Written(json => kind.With("What is wrong with the request, and what to do.").Write(json, $"/engine/api/api-jobs/{Pending.Id:D}"));

    public static IReadOnlyDictionary<string, JsonNode> Named(string name, JsonNode value) => new Dictionary<string, JsonNode> { [name] = value };

    private string Job(ApiJob job, JobExpansion expansion = JobExpansion.None)
    {
        var entry = job.MessageEntryCount == 0
            ? ""
            : "---------------------------\nCase ID: 53c3a84d-8eef-4015-8bc6-499f8eccd161 failed with the following errors:\n\n"
                + "Case does not exist or record already updated.\n---------------------------";
        return Encoding.UTF8.GetString(JobJson.Answer(job, entry, urls, Request, expansion).Utf8);
    }

    private static string Text(RecordsWriter writer)
    {
        using (writer)
        {
            var text = new ArrayBufferWriter<byte>();
            writer.Begin(text);
            foreach (var record in Records)
                writer.Write(text, record);
            writer.End(text);
            return Encoding.UTF8.GetString(text.WrittenSpan);
        }
    }

    private static JsonNode Written(Action<Utf8JsonWriter> write) => JsonNode.Parse(JsonAnswer.Of(write).Utf8)!;

    private static JsonNode Parse(string json) => JsonNode.Parse(json)!;
}
