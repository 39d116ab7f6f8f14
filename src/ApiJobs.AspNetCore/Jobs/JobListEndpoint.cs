using System.Globalization;
using System.Text.Json;
using ApiJobs.AspNetCore.Answers;
using ApiJobs.AspNetCore.Callers;
using ApiJobs.AspNetCore.Requests;
using ApiJobs.Jobs;
using ApiJobs.Operations;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;

namespace ApiJobs.AspNetCore.Jobs;

/// <summary>Answers which jobs a company has, newest first, a page at a time.</summary>
internal sealed class JobListEndpoint(ApiJobEngine engine, OperationCatalog operations, ApiUrls urls)
{
    private const int DefaultLimit = 25;
    private const int MaxLimit = 100;

    private static readonly string[] Statuses = [.. Enum.GetValues<ApiJobStatus>().Select(JobJson.NameOf)];

    private static readonly QueryParameter Status = new("status", $"Only jobs with this status: {string.Join(", ", Statuses)}.") { Values = Statuses };

    private static readonly QueryParameter CreatedAfter = new(
        "created_after", $"Only jobs accepted at this time or later; {QueryValues.TimeForms}.")
    { Pattern = QueryValues.TimePattern };

    private static readonly QueryParameter CreatedBefore = new(
        "created_before", $"Only jobs accepted before this time; {QueryValues.TimeForms}.")
    { Pattern = QueryValues.TimePattern };

    private static readonly QueryParameter ClientId = new("client_id", "Only jobs that this client sent.");

    private static readonly QueryParameter ParentId = new("parent_id", "Only jobs that go on from this one.") { Kind = QueryValueKind.Id };

    private static readonly QueryParameter HasFailed = new(
        "has_failed", "true: only jobs of which a record has failed so far; false: only others.")
    { Kind = QueryValueKind.Flag };

    private static readonly QueryParameter DryRun = new("dry_run", "true: only rehearsals; false: only others.") { Kind = QueryValueKind.Flag };

    private static readonly QueryParameter Limit = new(
        "limit", $"The most jobs to show, 1 to {MaxLimit}; {DefaultLimit} unless given. There may be fewer, or none, and still a next page.")
    {
        Kind = QueryValueKind.Number,
        Range = (1, MaxLimit),
        Default = DefaultLimit,
    };

    private static readonly QueryParameter Cursor = new(
        "cursor", "Where to read on, as the Link header with rel=\"next\" of the page before says.");

    private readonly QueryParameter _type = new("type", "Only jobs of this type, for example customer_case_bulk_update.")
    {
        // In alphabetical order, which is the same on every start.
        Values = [.. operations.All.Select(operation => operation.Type).Order(StringComparer.Ordinal)],
    };

    public IReadOnlyList<QueryParameter> Parameters =>
        [Status, _type, CreatedAfter, CreatedBefore, ClientId, ParentId, HasFailed, DryRun, Limit, Cursor, JobExpansions.Parameter];

    public async Task ListAsync(HttpContext context)
    {
        var (request, response, companyId) = (context.Request, context.Response, context.Caller().CompanyId);
        var expansion = JobExpansions.Read(request);
        var page = await engine.ListJobsAsync(companyId, ReadQuery(request), context.RequestAborted);
        var details = await engine.ReadDetailsAsync(companyId, [.. page.Jobs.Select(listed => listed.Job)], expansion, context.RequestAborted);
        if (page.Next is { } next)
            response.Headers.Link = $"<{UrlOfPage(request, next)}>; rel=\"next\"";
        await JsonAnswer.Of(json => Write(json, page.Jobs, request, expansion, details)).WriteAsync(response);
    }

    private JobQuery ReadQuery(HttpRequest request) => new()
    {
        Status = Status.OneOf(request) is { } status ? (ApiJobStatus)Array.IndexOf(Statuses, status) : null,
        Type = _type.OneOf(request),
        CreatedAfter = CreatedAfter.Time(request),
        CreatedBefore = CreatedBefore.Time(request),
        ClientId = ClientId.Text(request) is not "" and var clientId ? clientId : throw QueryParameter.Invalid("'client_id' is empty; send the id of a client."),
        ParentId = ParentId.Id(request),
        HasFailed = HasFailed.Boolean(request),
        DryRun = DryRun.Boolean(request),
        Limit = Limit.Number(request)!.Value,
        After = JobCursor.Parse(Cursor.Text(request)),
    };

    private void Write(
        Utf8JsonWriter json, IReadOnlyList<ListedJob> jobs, HttpRequest request, JobExpansion expansion, IReadOnlyList<JobDetails> details)
    {
        json.WriteStartObject();
        json.WriteStartArray("data"u8);
        for (var i = 0; i < jobs.Count; i++)
        {
            var message = JobMessageText.Render(jobs[i], urls.Records(request, jobs[i].Job.Id));
            JobJson.Write(json, jobs[i].Job, message, urls, request, expansion, details[i]);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private string UrlOfPage(HttpRequest request, JobPlace next)
    {
        var query = new QueryBuilder(request.Query.Where(parameter => parameter.Key != Cursor.Name)) { { Cursor.Name, JobCursor.Write(next) } };
        return string.Create(CultureInfo.InvariantCulture, $"{urls.Jobs(request)}{query}");
    }
}
