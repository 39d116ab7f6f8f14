using ApiJobs.AspNetCore.Jobs;
using ApiJobs.Declarations;
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
            + "Ask again after Retry-After seconds until end_time is set. Send the ETag as If-None-Match to get 304 while nothing has changed.")
        .Produces<Schemas.ApiJob>()
        .Produces(StatusCodes.Status304NotModified)
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

    public static void DescribeBulk(this RouteHandlerBuilder endpoint, BulkRoute route) => endpoint
        .WithOperationId(CamelCase(route.Operation.Type)).WithTags(route.Path.Split('/')[0])
        .WithSummary($"Send a bulk request: {route.Operation.Type}")
        .WithDescription(
            "The body is a list of records, read as a stream: a JSON array of objects, or {\"records\":[…]}; one JSON object a line; "
            + "or CSV with a header row; or one file of these in a form. It may be encoded as gzip or br. "
            + "The answer is the API job, at the Location; it is sent when every record is stored durably. "
            + "A body that cannot be read is refused as a whole; a record that is wrong becomes an error in the job.")
        .WithRecordsAsBody()
        .Produces<Schemas.ApiJob>(StatusCodes.Status202Accepted)
        .Refuses(
            StatusCodes.Status400BadRequest, StatusCodes.Status404NotFound, StatusCodes.Status408RequestTimeout, StatusCodes.Status409Conflict,
            StatusCodes.Status413PayloadTooLarge, StatusCodes.Status415UnsupportedMediaType);

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

    // Every endpoint asks who is calling, and every one needs the store.
    private static void Refuses(this RouteHandlerBuilder endpoint, params int[] statuses)
    {
        foreach (var status in statuses.Concat(
            [StatusCodes.Status401Unauthorized, StatusCodes.Status403Forbidden, StatusCodes.Status503ServiceUnavailable]).Order())
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
