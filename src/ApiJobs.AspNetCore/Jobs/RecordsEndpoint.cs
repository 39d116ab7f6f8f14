using System.Text.Json;
using ApiJobs.AspNetCore.Answers;
using ApiJobs.AspNetCore.Callers;
using ApiJobs.AspNetCore.Requests;
using ApiJobs.Jobs;
using ApiJobs.Records;
using Microsoft.AspNetCore.Http;

namespace ApiJobs.AspNetCore.Jobs;

/// <summary>Answers what happened to each record of a job, in input order, a page at a time.</summary>
internal sealed class RecordsEndpoint(ApiJobEngine engine, ApiUrls urls)
{
    private const int DefaultLimit = 100;
    private const int MaxLimit = 1_000;

    // A rare outcome in a huge job must not make one request read it all: so a page may have fewer records than it
    // might, or none, and still a next one. Then the caller sets the pace.
    private const int MaxChunksRead = 64;

    private static readonly string[] OutcomeNames = [.. Enum.GetValues<RecordOutcome>().Select(NameOf)];

    private static readonly QueryParameter Outcome = new(
        "outcome", $"Only records with one of these outcomes, separated by commas: {string.Join(", ", OutcomeNames)}.");

    private static readonly QueryParameter Limit = new(
        "limit", $"The most records to show, 1 to {MaxLimit}; {DefaultLimit} unless given. There may be fewer, and still a next page.", isNumber: true);

    private static readonly QueryParameter Cursor = new(
        "cursor", "Where to read on, as the Link header with rel=\"next\" of the page before says.");

    public static IReadOnlyList<QueryParameter> Parameters { get; } = [Outcome, Limit, Cursor];

    public async Task ListAsync(HttpContext context, string id)
    {
        var (request, response) = (context.Request, context.Response);
        var outcomes = Outcome.Names(request, OutcomeNames);
        var limit = Limit.Number(request, min: 1, max: MaxLimit, otherwise: DefaultLimit);
        var jobId = PathId.Parse(id);
        if (await engine.FindJobAsync(context.Caller().CompanyId, jobId, context.RequestAborted) is not { } job)
            throw JobEndpoint.NotFound(jobId);

        var from = RecordCursor.Parse(Cursor.Text(request), job);
        List<RecordResult> page;
        RecordCursor? next;
        try
        {
            (page, next) = await ReadPageAsync(job, from, outcomes, limit, context.RequestAborted);
        }
        catch (RecordsRemovedException)
        {
            throw Problems.RecordsRemoved.Refusal(
                $"The records of job {jobId} were removed some time after its end, as this server is configured. "
                + "The job itself still says how many there were and what became of them.");
        }

        if (next is { } cursor)
        {
            var filter = outcomes.Count == 0 ? "" : $"outcome={string.Join(',', outcomes)}&";
            response.Headers.Link = $"<{urls.Records(request, job.Id)}?{filter}limit={limit}&cursor={cursor}>; rel=\"next\"";
        }

        await JsonAnswer.Of(json => Write(json, page)).WriteAsync(response);
    }

    private async Task<(List<RecordResult> Page, RecordCursor? Next)> ReadPageAsync(
        ApiJob job, RecordCursor from, IReadOnlyCollection<string> outcomes, int limit, CancellationToken cancellationToken)
    {
        var page = new List<RecordResult>();
        await foreach (var record in engine.ReadRecordsAsync(job, from.ChunkIndex, cancellationToken))
        {
            if (record.Index < from.RecordIndex)
                continue;
            if (page.Count == limit || record.ChunkIndex >= from.ChunkIndex + MaxChunksRead)
                return (page, new(record.ChunkIndex, record.Index));
            if (outcomes.Count == 0 || outcomes.Contains(NameOf(record.Outcome)))
                page.Add(record);
        }

        return (page, null);
    }

    private static void Write(Utf8JsonWriter json, List<RecordResult> page)
    {
        json.WriteStartObject();
        json.WriteStartArray("data"u8);
        foreach (var record in page)
            Write(json, record);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, RecordResult record)
    {
        json.WriteStartObject();
        json.WriteNumber("index"u8, record.Index);
        json.WriteString("key"u8, record.Key);
        json.WriteString("outcome"u8, NameOf(record.Outcome));
        json.WriteStartArray("errors"u8);
        foreach (var error in record.Errors)
        {
            json.WriteStartObject();
            json.WriteString("code"u8, error.Code);
            json.WriteString("message"u8, error.Message);
            json.WriteString("pointer"u8, error.Pointer);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static string NameOf(RecordOutcome outcome) => outcome switch
    {
        RecordOutcome.Unprocessed => "unprocessed",
        RecordOutcome.Created => "created",
        RecordOutcome.Updated => "updated",
        RecordOutcome.Unchanged => "unchanged",
        RecordOutcome.Failed => "failed",
        _ => throw new ArgumentOutOfRangeException(nameof(outcome), outcome, "There is no such outcome."),
    };
}
