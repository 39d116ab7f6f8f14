using ApiJobs.AspNetCore.Jobs;
using ApiJobs.Declarations;
using ApiJobs.Jobs;
using ApiJobs.Resources;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace ApiJobs.AspNetCore.OpenApi;

/// <summary>What the application's OpenAPI document says of each endpoint.</summary>
internal static class Descriptions
{
    private const string JobsTag = "API jobs";

    public static void DescribeJob(this RouteHandlerBuilder endpoint) => endpoint
        .WithOperationId("getApiJob").WithTags(JobsTag)
        .WithSummary("Get an API job")
        .WithDescription(
            "Answers how far a bulk request is: its status, counts, and a message with an entry for each record that was not effected. "
            + "Ask again after Retry-After seconds until end_time is set. Send the ETag as If-None-Match to get 304 while nothing has changed; "
            + "send Prefer: wait=30 to be answered when the job has ended, or after 30 seconds.")
        .Produces<Schemas.ApiJob>()
        .Produces(StatusCodes.Status304NotModified)
        .Refuses(StatusCodes.Status400BadRequest, StatusCodes.Status404NotFound);

    public static void DescribeJobs(this RouteHandlerBuilder endpoint) => endpoint
        .WithOperationId("listApiJobs").WithTags(JobsTag)
        .WithSummary("List API jobs")
        .WithDescription(
            "Newest first, a page at a time; all filters together. A page looks at a bounded number of jobs: with rare filters it may have few jobs, or none, "
            + "and still a next page. While there may be more, the Link header names the next page (rel=\"next\"), with the filters. "
            + "A message is cut after 1 KiB, in whole entries.")
        .Produces<Schemas.ApiJobList>()
        .Refuses(StatusCodes.Status400BadRequest);

    public static void DescribeLog(this RouteHandlerBuilder endpoint) => endpoint
        .WithOperationId("getApiJobLog").WithTags(JobsTag)
        .WithSummary("Get the log of an API job")
        .WithDescription(
            "What happened to the job, oldest first: accepted, begun, ended, and whatever was out of the ordinary, "
            + $"as {JobLogEvents.LaneIll}, {JobLogEvents.TakenOver}, {JobLogEvents.GroupIsolated} or {JobLogEvents.RecordGivenUp}. At most {JobLogEntry.MaxShown} entries.")
        .Produces<Schemas.ApiJobLog>()
        .Refuses(StatusCodes.Status400BadRequest, StatusCodes.Status404NotFound);

    public static void DescribeRecords(this RouteHandlerBuilder endpoint) => endpoint
        .WithOperationId("listApiJobRecords").WithTags(JobsTag)
        .WithSummary("List what happened to each record of an API job")
        .WithDescription(
            "In input order, a page at a time. While there is more, the Link header names the next page (rel=\"next\"). "
            + "Asked for as application/x-ndjson or text/csv, without a limit, all records are sent as a stream. A table with include=record has the "
            + "columns of the request, and can be corrected and sent back with retry_of.")
        .Produces<Schemas.RecordResults>()
        .AlsoAnswersAs(RecordsFormat.Ndjson.MediaType, RecordsFormat.Csv.MediaType)
        .Refuses(StatusCodes.Status400BadRequest, StatusCodes.Status404NotFound, StatusCodes.Status406NotAcceptable, StatusCodes.Status410Gone);

    public static void DescribeErrors(this RouteHandlerBuilder endpoint) => endpoint
        .WithOperationId("listApiJobErrors").WithTags(JobsTag)
        .WithSummary("List the kinds of errors that the records of an API job have")
        .WithDescription(
            "The most frequent first, at most 100; errors of further kinds are counted together, under the code 'other'. "
            + "A record counts once in each kind that it has an error of. Counted as the job runs.")
        .Produces<Schemas.ErrorGroups>()
        .Refuses(StatusCodes.Status400BadRequest, StatusCodes.Status404NotFound);

    public static void DescribeCancel(this RouteHandlerBuilder endpoint) => endpoint
        .WithOperationId("cancelApiJob").WithTags(JobsTag)
        .WithSummary("Cancel an API job")
        .WithDescription(
            "The job ends as failed with the chunk at hand, and the rest of its records stays unprocessed; what was done stays. "
            + "Also needs the scope of the bulk requests that make such jobs.")
        .WithIdempotencyKey()
        .Produces<Schemas.ApiJob>()
        .Refuses(
            StatusCodes.Status400BadRequest, StatusCodes.Status404NotFound, StatusCodes.Status409Conflict, StatusCodes.Status413PayloadTooLarge,
            StatusCodes.Status422UnprocessableEntity);

    public static void DescribeRetry(this RouteHandlerBuilder endpoint) => endpoint
        .WithOperationId("retryApiJob").WithTags(JobsTag)
        .WithSummary("Retry what failed in an API job")
        .WithDescription(
            "Makes a new job, at the Location, of the records that failed or stayed unprocessed, as they were sent. A job is retried once; its retry may be retried. "
            + "Also needs the scope of the bulk requests that make such jobs.")
        .WithIdempotencyKey()
        .Produces<Schemas.ApiJob>(StatusCodes.Status202Accepted)
        .Refuses(
            StatusCodes.Status400BadRequest, StatusCodes.Status404NotFound, StatusCodes.Status409Conflict, StatusCodes.Status410Gone,
            StatusCodes.Status413PayloadTooLarge, StatusCodes.Status422UnprocessableEntity);

    public static void DescribePromote(this RouteHandlerBuilder endpoint) => endpoint
        .WithOperationId("promoteApiJob").WithTags(JobsTag)
        .WithSummary("Do for good what an API job has rehearsed")
        .WithDescription(
            "Makes the real job, at the Location, of all records of a rehearsal that has ended, without a new upload. "
            + "Also needs the scope of the bulk requests that make such jobs.")
        .WithIdempotencyKey()
        .Produces<Schemas.ApiJob>(StatusCodes.Status202Accepted)
        .Refuses(
            StatusCodes.Status400BadRequest, StatusCodes.Status404NotFound, StatusCodes.Status409Conflict, StatusCodes.Status410Gone,
            StatusCodes.Status413PayloadTooLarge, StatusCodes.Status422UnprocessableEntity);

    public static void DescribeEvents(this RouteHandlerBuilder endpoint) => endpoint
        .WithOperationId("watchApiJob").WithTags(JobsTag)
        .WithSummary("Watch an API job")
        .WithDescription(
            "Server-sent events: api_job.progress at once and whenever the job has got further, at most once a second; then api_job.completed or "
            + "api_job.failed, and the end of the stream. The data of each is the job, with its counts. A client that connects again sends the id of "
            + "the last event as Last-Event-ID, and misses nothing.")
        .Produces(StatusCodes.Status200OK, contentType: "text/event-stream")
        .Refuses(StatusCodes.Status400BadRequest, StatusCodes.Status404NotFound);

    public static void DescribeLimits(this RouteHandlerBuilder endpoint) => endpoint
        .WithOperationId("getLimits").WithTags("Limits")
        .WithSummary("See your limits")
        .WithDescription("The caller's own limits, with what is used and left of them. A limit that is null is none.")
        .Produces<Schemas.Limits>()
        .Refuses(StatusCodes.Status400BadRequest);

    public static void DescribeBulk(this RouteHandlerBuilder endpoint, BulkRoute route) => endpoint
        .WithOperationId(CamelCase(route.Operation.Type)).WithTags(route.Path.Split('/')[0])
        .WithSummary($"Send a bulk request: {route.Operation.Type}")
        .WithDescription(
            "The body is a list of records, read as a stream: a JSON array of objects, or {\"records\":[…]}; one JSON object a line; "
            + "or CSV with a header row; or one file of these in a form. It may be encoded as gzip or br. "
            + "The answer is the API job, at the Location; it is sent when every record is stored durably, or, with Prefer: wait=30, when the job "
            + "has ended within 30 seconds. "
            + "A body that cannot be read is refused as a whole; a record that is wrong becomes an error in the job. "
            + "With dry_run=true the job tells what would happen to each record, and changes nothing.")
        .WithRecordsAsBody().WithIdempotencyKey()
        .Produces<Schemas.ApiJob>(StatusCodes.Status202Accepted)
        .Produces<Schemas.ApiJob>()
        .Refuses(
            StatusCodes.Status400BadRequest, StatusCodes.Status404NotFound, StatusCodes.Status408RequestTimeout, StatusCodes.Status409Conflict,
            StatusCodes.Status413PayloadTooLarge, StatusCodes.Status415UnsupportedMediaType, StatusCodes.Status422UnprocessableEntity);

    public static void DescribeRows(this RouteHandlerBuilder endpoint, Resource resource) => endpoint
        .WithOperationId(CamelCase($"list_{resource.Path}")).WithTags(resource.Path)
        .WithSummary($"List {resource.Path}")
        .WithDescription("In the order of their ids, a page at a time. While pages are full, the Link header names the next one (rel=\"next\").")
        .Produces(StatusCodes.Status200OK, contentType: "application/json")
        .Refuses(StatusCodes.Status400BadRequest);

    public static void DescribeRow(this RouteHandlerBuilder endpoint, Resource resource) => endpoint
        .WithOperationId(CamelCase($"get_{resource.Name}")).WithTags(resource.Path)
        .WithSummary($"Get a {resource.Label.ToLowerInvariant()}")
        .Produces(StatusCodes.Status200OK, contentType: "application/json")
        .Refuses(StatusCodes.Status400BadRequest, StatusCodes.Status404NotFound);

    // Every endpoint asks who is calling and how often, and every one needs the store.
    private static void Refuses(this RouteHandlerBuilder endpoint, params int[] statuses)
    {
        foreach (var status in statuses.Concat(
            [StatusCodes.Status401Unauthorized, StatusCodes.Status403Forbidden, StatusCodes.Status429TooManyRequests, StatusCodes.Status503ServiceUnavailable]).Order())
        {
            endpoint.ProducesProblem(status);
        }
    }

    // Generated clients make methods of operation ids: customer_case_bulk_update is customerCaseBulkUpdate.
    private static string CamelCase(string name)
    {
        var words = name.Split('_', '-', '/');
        return string.Concat(words.Select((word, index) => index == 0 || word.Length == 0 ? word : $"{char.ToUpperInvariant(word[0])}{word[1..]}"));
    }
}
