using System.Buffers;
using ApiJobs.AspNetCore.Answers;
using ApiJobs.AspNetCore.Requests;
using ApiJobs.Intake;
using ApiJobs.Jobs;
using ApiJobs.Records;
using Microsoft.AspNetCore.Http;

namespace ApiJobs.AspNetCore.Jobs;

/// <summary>Answers what happened to each record of a job, in input order: a page at a time, or all as a stream.</summary>
internal sealed class RecordsEndpoint(ApiJobEngine engine, IntakeOptions intake, ApiUrls urls)
{
    // A rare outcome in a huge job must not make one request read it all: so a page may have fewer records than it
    // might, or none, and still a next one. Then the caller sets the pace.
    private const int MaxChunksRead = 64;

    // A thousand records of a megabyte would be a page of a gigabyte.
    private const int MaxPageBytes = 4 << 20;

    private const int StreamedBytesAtOnce = 64 << 10;

    public static IReadOnlyList<QueryParameter> Parameters => RecordsQuery.Parameters;

    public async Task ListAsync(HttpContext context, string id)
    {
        var (request, response) = (context.Request, context.Response);
        var query = RecordsQuery.Read(request);
        var format = RecordsFormat.AcceptedBy(request);
        var job = await engine.FindNamedAsync(context, id);

        var from = RecordCursor.Parse(query.Cursor, job);
        response.ContentType = format.ContentType;
        response.Headers.Vary = "Accept";
        try
        {
            if (format == RecordsFormat.Json || query.Limit is not null)
                await AnswerPageAsync(context, job, format, query, from);
            else
                await StreamAsync(context, job, format, query, from);
        }
        catch (RecordsRemovedException) when (!response.HasStarted)
        {
            throw Problems.RecordsRemoved.Refusal(
                $"The records of job {job.Id} were removed some time after its end, as this server is configured. "
                + "The job itself still says how many there were and what became of them.");
        }
    }

    private async Task AnswerPageAsync(HttpContext context, ApiJob job, RecordsFormat format, RecordsQuery query, RecordCursor from)
    {
        var response = context.Response;
        var (page, next) = await ReadPageAsync(job, query, from, context.RequestAborted);
        using var writer = await WriterAsync(job, format, query, page.ToAsyncEnumerable(), context.RequestAborted);
        if (next is { } cursor)
            response.Headers.Link = $"<{urls.Records(context.Request, job.Id)}{query.Next(cursor)}>; rel=\"next\"";

        var answer = new ArrayBufferWriter<byte>(1024);
        writer.Begin(answer);
        foreach (var record in page)
        {
            writer.Write(answer, record);
            // A table may have far more columns than its records have members: then it is sent while it is written.
            if (format == RecordsFormat.Csv && answer.WrittenCount >= MaxPageBytes)
            {
                await response.Body.WriteAsync(answer.WrittenMemory, context.RequestAborted);
                answer.ResetWrittenCount();
            }
        }

        writer.End(answer);
        if (!response.HasStarted)
            response.ContentLength = answer.WrittenCount;
        await response.Body.WriteAsync(answer.WrittenMemory, context.RequestAborted);
    }

    private async Task StreamAsync(HttpContext context, ApiJob job, RecordsFormat format, RecordsQuery query, RecordCursor from)
    {
        var (response, aborted) = (context.Response, context.RequestAborted);
        using var writer = await WriterAsync(job, format, query, ReadAsync(job, query, from, aborted), aborted);
        // Sent from a buffer of its own: so a fault before the first bytes leave is still answered with a problem. Each
        // write waits until the client has taken what was written before.
        var answer = new ArrayBufferWriter<byte>(StreamedBytesAtOnce);
        writer.Begin(answer);
        await foreach (var chunk in engine.ReadRecordsByChunkAsync(job, from.ChunkIndex, aborted))
        {
            if (HttpMethods.IsHead(context.Request.Method))
                break;
            foreach (var record in chunk)
            {
                if (record.Index < from.RecordIndex || !query.Matches(record))
                    continue;
                writer.Write(answer, record);
                if (answer.WrittenCount >= StreamedBytesAtOnce)
                    await SendAsync();
            }
        }

        writer.End(answer);
        await SendAsync();

        async Task SendAsync()
        {
            if (!response.HasStarted)
                response.Headers.ContentDisposition = $"attachment; filename=\"api-job-{job.Id}-records.{format.FileExtension}\"";
            await response.Body.WriteAsync(answer.WrittenMemory, aborted);
            answer.ResetWrittenCount();
        }
    }

    private async Task<RecordsWriter> WriterAsync(
        ApiJob job, RecordsFormat format, RecordsQuery query, IAsyncEnumerable<RecordResult> records, CancellationToken cancellationToken)
    {
        if (format == RecordsFormat.Json)
            return new JsonRecordsWriter(query.IncludesRecord);
        if (format == RecordsFormat.Ndjson)
            return new NdjsonRecordsWriter(query.IncludesRecord);
        if (!query.IncludesRecord)
            return new CsvRecordsWriter(columns: null, intake.CsvClearToken, query.IsRaw);
        var columns = await engine.ReadColumnsAsync(job, cancellationToken) is { } header
            ? RecordColumns.Of(header)
            : await FindColumnsAsync(records);
        return new CsvRecordsWriter(columns, intake.CsvClearToken, query.IsRaw);
    }

    // The records are read twice. What is told of an unfinished job is of the moment at which the job was read, so both times they are the same.
    private static async Task<RecordColumns> FindColumnsAsync(IAsyncEnumerable<RecordResult> records)
    {
        var search = new RecordColumns.Search();
        await foreach (var record in records)
            search.Add(record.Json.Span);
        return search.End();
    }

    private IAsyncEnumerable<RecordResult> ReadAsync(ApiJob job, RecordsQuery query, RecordCursor from, CancellationToken cancellationToken) =>
        engine.ReadRecordsAsync(job, from.ChunkIndex, cancellationToken).Where(record => record.Index >= from.RecordIndex && query.Matches(record));

    private async Task<(List<RecordResult> Page, RecordCursor? Next)> ReadPageAsync(
        ApiJob job, RecordsQuery query, RecordCursor from, CancellationToken cancellationToken)
    {
        var page = new List<RecordResult>();
        var (limit, bytes) = (query.Limit ?? RecordsQuery.DefaultLimit, 0L);
        await foreach (var record in engine.ReadRecordsAsync(job, from.ChunkIndex, cancellationToken))
        {
            if (record.Index < from.RecordIndex)
                continue;
            if (page.Count == limit || bytes >= MaxPageBytes || record.ChunkIndex >= from.ChunkIndex + MaxChunksRead)
                return (page, new(record.ChunkIndex, record.Index));
            if (!query.Matches(record))
                continue;
            // Copied, so that a record does not hold its whole chunk.
            page.Add(record with { Json = query.IncludesRecord ? record.Json.ToArray() : default });
            bytes += (query.IncludesRecord ? record.Json.Length : 0) + record.Errors.Sum(error => error.Message.Length + error.Pointer.Length + error.Code.Length);
        }

        return (page, null);
    }
}
