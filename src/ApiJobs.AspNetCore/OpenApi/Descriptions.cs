using System.Text.Json.Nodes;
using ApiJobs.AspNetCore.Jobs;
using ApiJobs.AspNetCore.Resources;
using ApiJobs.Declarations;
using ApiJobs.Intake;
using ApiJobs.Jobs;
using ApiJobs.Operations;
using ApiJobs.Resources;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.OpenApi;

namespace ApiJobs.AspNetCore.OpenApi;

/// <summary>What the application's OpenAPI document says of each endpoint.</summary>
internal static class Descriptions
{
    private const string JobsTag = "API jobs";
    private const string LimitsTag = "Limits";
    private const string Json = "application/json";

    /// <summary>What a tag's operations are about.</summary>
    public static string OfTag(string tag) => tag switch
    {
        JobsTag => "What became of bulk requests, and what can be done about it.",
        LimitsTag => "What a caller may take.",
        _ => $"Bulk requests and rows of {tag}.",
    };

    public static void DescribeJob(this RouteHandlerBuilder endpoint, Examples examples) => endpoint
        .WithOperationId("getApiJob").WithTags(JobsTag)
        .WithSummary("Get an API job")
        .WithDescription(
            "Answers how far a bulk request is: its status, counts, and a message with an entry for each record that was not effected. "
            + "Ask again after Retry-After seconds until end_time is set. Send the ETag as If-None-Match to get 304 while nothing has changed; "
            + "send Prefer: wait=30 to be answered when the job has ended, or after 30 seconds.")
        .WithHeaders(Headers.IfNoneMatch, Headers.Prefer)
        .Answers(
            200, "The job.", Schemas.Job, examples.Jobs,
            Headers.ETag, document => document.RetryAfter(), Headers.PreferenceApplied, document => document.Vary("Prefer"))
        .AnswersAs(304, "The job has not changed.", [Headers.ETag, document => document.RetryAfter(), Headers.PreferenceApplied, document => document.Vary("Prefer")])
        .Refuses(Refusals.One);

    public static void DescribeJobs(this RouteHandlerBuilder endpoint, Examples examples) => endpoint
        .WithOperationId("listApiJobs").WithTags(JobsTag)
        .WithSummary("List API jobs")
        .WithDescription(
            "Newest first, a page at a time; all filters together. A page looks at a bounded number of jobs: with rare filters it may have few jobs, or none, "
            + "and still a next page. While there may be more, the Link header names the next page (rel=\"next\"), with the filters. "
            + "A message is cut after 1 KiB, in whole entries.")
        .Answers(200, "A page of jobs.", Schemas.JobList, examples.JobList, Headers.NextPage)
        .Refuses(Refusals.Lists);

    public static void DescribeLog(this RouteHandlerBuilder endpoint) => endpoint
        .WithOperationId("getApiJobLog").WithTags(JobsTag)
        .WithSummary("Get the log of an API job")
        .WithDescription(
            "What happened to the job, oldest first: accepted, begun, ended, and whatever was out of the ordinary, "
            + $"as {JobLogEvents.LaneIll}, {JobLogEvents.TakenOver}, {JobLogEvents.GroupIsolated} or {JobLogEvents.RecordGivenUp}. At most {JobLogEntry.MaxShown} entries.")
        .Answers(200, "What happened to the job.", Schemas.JobLog, Examples.Log)
        .Refuses(Refusals.One);

    public static void DescribeRecords(this RouteHandlerBuilder endpoint) => endpoint
        .WithOperationId("listApiJobRecords").WithTags(JobsTag)
        .WithSummary("List what happened to each record of an API job")
        .WithDescription(
            "In input order, a page at a time. While there is more, the Link header names the next page (rel=\"next\"). "
            + "Asked for as application/x-ndjson or text/csv, without a limit, all records are sent as a stream. A table with include=record has the "
            + "columns of the request, and can be corrected and sent back with retry_of.")
        .AnswersAs(
            200, "The records.", [Headers.NextPage, document => document.Vary("Accept"), Headers.ContentDisposition],
            (RecordsFormat.Json.MediaType, Schemas.RecordResults, Examples.RecordPage),
            (RecordsFormat.Ndjson.MediaType, _ => SchemaOf.Text("A RecordResult a line."), Examples.RecordLines),
            (RecordsFormat.Csv.MediaType, _ => SchemaOf.Text("A row a record, or, of one with several errors, a row an error."), Examples.RecordTable))
        .Refuses(Refusals.Records);

    public static void DescribeErrors(this RouteHandlerBuilder endpoint) => endpoint
        .WithOperationId("listApiJobErrors").WithTags(JobsTag)
        .WithSummary("List the kinds of errors that the records of an API job have")
        .WithDescription(
            "The most frequent first, at most 100; errors of further kinds are counted together, under the code 'other'. "
            + "A record counts once in each kind that it has an error of. Counted as the job runs.")
        .Answers(200, "The kinds of errors.", Schemas.ErrorGroups, Examples.Errors)
        .Refuses(Refusals.One);

    public static void DescribeCancel(this RouteHandlerBuilder endpoint, Examples examples) => endpoint
        .WithOperationId("cancelApiJob").WithTags(JobsTag)
        .WithSummary("Cancel an API job")
        .WithDescription(
            "The job ends as failed with the chunk at hand, and the rest of its records stays unprocessed; what was done stays. "
            + "Also needs the scope of the bulk requests that make such jobs.")
        .WithHeaders(Headers.IdempotencyKey, Headers.Prefer)
        .Answers(
            200, "The job, which has ended, or ends with the chunk at hand.", Schemas.Job, examples.CancelledJob,
            Headers.ETag, document => document.RetryAfter(), Headers.PreferenceApplied, document => document.Vary("Prefer"))
        .Refuses(Refusals.Cancel);

    public static void DescribeRetry(this RouteHandlerBuilder endpoint, Examples examples) => endpoint
        .WithOperationId("retryApiJob").WithTags(JobsTag)
        .WithSummary("Retry what failed in an API job")
        .WithDescription(
            "Makes a new job, at the Location, of the records that failed or stayed unprocessed, as they were sent. A job is retried once; its retry may be retried. "
            + "Also needs the scope of the bulk requests that make such jobs.")
        .WithHeaders(Headers.IdempotencyKey, Headers.Prefer, Headers.TraceParent)
        .AnswersWithNewJob(examples)
        .Refuses(Refusals.Retry);

    public static void DescribePromote(this RouteHandlerBuilder endpoint, Examples examples) => endpoint
        .WithOperationId("promoteApiJob").WithTags(JobsTag)
        .WithSummary("Do for good what an API job has rehearsed")
        .WithDescription(
            "Makes the real job, at the Location, of all records of a rehearsal that has ended, without a new upload. "
            + "Also needs the scope of the bulk requests that make such jobs.")
        .WithHeaders(Headers.IdempotencyKey, Headers.Prefer, Headers.TraceParent)
        .AnswersWithNewJob(examples)
        .Refuses(Refusals.Promote);

    public static void DescribeEvents(this RouteHandlerBuilder endpoint, Examples examples) => endpoint
        .WithOperationId("watchApiJob").WithTags(JobsTag)
        .WithSummary("Watch an API job")
        .WithDescription(
            "Server-sent events: api_job.progress at once and whenever the job has got further, at most once a second; then api_job.completed or "
            + "api_job.failed, and the end of the stream. The data of each is the job, with its counts. A client that connects again sends the id of "
            + "the last event as Last-Event-ID, and misses nothing.")
        .WithHeaders(Headers.LastEventId)
        .AnswersAs(
            200, "The events, until the job has ended, the token ends, or the server's limit of streams is reached.", [],
            ("text/event-stream", _ => SchemaOf.Text("Events of the HTML standard, section 9.2; the data of each is an ApiJob."), examples.Events))
        .Refuses(Refusals.Events);

    public static void DescribeLimits(this RouteHandlerBuilder endpoint) => endpoint
        .WithOperationId("getLimits").WithTags(LimitsTag)
        .WithSummary("See your limits")
        .WithDescription("The caller's own limits, with what is used and left of them. A limit that is null is none.")
        .Answers(200, "The limits.", Schemas.Limits, Examples.Limits)
        .Refuses(Refusals.Lists);

    public static void DescribeBulk(this RouteHandlerBuilder endpoint, BulkRoute route, Examples examples) => endpoint
        .WithOperationId(CamelCase(route.Operation.Type)).WithTags(route.Path.Split('/')[0])
        .WithSummary($"Send a bulk request: {route.Operation.Type}")
        .WithDescription(
            "The body is a list of records, read as a stream: a JSON array of objects, or {\"records\":[…]}; one JSON object a line; "
            + "or CSV with a header row; or one file of these in a form. It may be encoded as gzip or br. "
            + "The answer is the API job, at the Location; it is sent when every record is stored durably, or, with Prefer: wait=30, when the job "
            + "has ended within 30 seconds. "
            + "A body that cannot be read is refused as a whole; a record that is wrong becomes an error in the job. "
            + "With dry_run=true the job tells what would happen to each record, and changes nothing.")
        .WithHeaders(document => document.ContentEncoding(ContentEncodings.Supported), Headers.IdempotencyKey, Headers.Prefer, Headers.TraceParent)
        .WithBody(
            "The records, in UTF-8. application/json may also be {\"records\":[…]}; and a multipart/form-data of one file, whose own type or name "
            + "(.json, .ndjson, .jsonl, .csv, and .gz after that) says which of these it is, is read as the file itself: curl -F file=@records.csv.",
            [.. BodiesOf(route.Operation)])
        .AnswersWithNewJob(examples)
        .Refuses(Refusals.Bulk);

    public static void DescribeRows(this RouteHandlerBuilder endpoint, Resource resource) => endpoint
        .WithOperationId(CamelCase($"list_{resource.Path}")).WithTags(resource.Path)
        .WithSummary($"List {resource.Path}")
        .WithDescription("In the order of their ids, a page at a time. While pages are full, the Link header names the next one (rel=\"next\").")
        .Answers(200, "A page of rows.", document => document.Rows(resource, RowEndpoints.MaxPerPage), Examples.Rows(resource), Headers.NextPage)
        .Refuses(Refusals.Lists);

    public static void DescribeRow(this RouteHandlerBuilder endpoint, Resource resource) => endpoint
        .WithOperationId(CamelCase($"get_{resource.Name}")).WithTags(resource.Path)
        .WithSummary($"Get a {resource.Label.ToLowerInvariant()}")
        .Answers(200, "The row.", document => document.Row(resource), Examples.Row(resource))
        .Refuses(Refusals.One);

    private static RouteHandlerBuilder AnswersWithNewJob(this RouteHandlerBuilder endpoint, Examples examples)
    {
        Func<OpenApiDocument, (string, IOpenApiHeader)>[] headers =
            [Headers.Location, Headers.ETag, document => document.RetryAfter(), Headers.PreferenceApplied, document => document.Vary("Prefer")];
        return endpoint
            .Answers(200, "The job, which has ended while the request waited, as it preferred.", Schemas.Job, examples.Ended, headers)
            .Answers(202, "The job, which is accepted: nothing of it can be lost from here on.", Schemas.Job, examples.Accepted, headers);
    }

    private static IEnumerable<(string MediaType, Func<OpenApiDocument, IOpenApiSchema> Schema, IReadOnlyDictionary<string, JsonNode> Examples)> BodiesOf(BulkOperation operation)
    {
        var record = operation is ResourceOperation { Resource: var resource } ? RowSchemas.ExampleOf(resource) : new JsonObject { ["id"] = "4528a261-917d-4cbc-939e-7ea48cffca69" };
        foreach (var mediaType in RecordFormats.MediaTypes)
        {
            yield return mediaType switch
            {
                Json => (mediaType, document => SchemaOf.Array(document.Record(operation)), Examples.Named("array", new JsonArray(record.DeepClone()))),
                "text/csv" => (mediaType, _ => SchemaOf.Text("A header row of fields, and a row a record."), Examples.Table(record)),
                _ => (mediaType, _ => SchemaOf.Text("A record, as a JSON object, a line."), Examples.Named("lines", $"{record.ToJsonString()}\n")),
            };
        }
    }

    // Generated clients make methods of operation ids: customer_case_bulk_update is customerCaseBulkUpdate.
    private static string CamelCase(string name)
    {
        var words = name.Split('_', '-', '/');
        return string.Concat(words.Select((word, index) => index == 0 || word.Length == 0 ? word : $"{char.ToUpperInvariant(word[0])}{word[1..]}"));
    }
}
