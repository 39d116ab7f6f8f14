using ApiJobs.AspNetCore.Answers;
using ApiJobs.AspNetCore.Callers;
using ApiJobs.AspNetCore.Jobs;
using ApiJobs.AspNetCore.Limits;
using ApiJobs.AspNetCore.Requests;
using ApiJobs.Declarations;
using ApiJobs.Intake;
using ApiJobs.Jobs;
using ApiJobs.Resources;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;

namespace ApiJobs.AspNetCore.Bulk;

/// <summary>Accepts one operation's bulk requests: a body of records becomes an API job.</summary>
internal sealed class BulkEndpoint(BulkRoute route, ApiJobEngine engine, IntakeOptions intake, UploadLimits uploads, ApiUrls urls) : IRequestSizeLimitMetadata
{
    private const string IdKey = "id";

    private readonly IReadOnlyList<string> _keys = KeysOf(route);

    private readonly QueryParameter _key = new(
        "key", $"The unique field that rows are found by, one of {string.Join(", ", KeysOf(route))}; {IdKey} unless given.")
    { Values = KeysOf(route) };

    private readonly QueryParameter _retryOf = new(
        "retry_of", "The id of an ended API job that this one corrects. Columns of text/csv that begin with _ are left out then, and the apostrophes that its list of records has in front of cells.")
    { Kind = QueryValueKind.Id };

    // The server's general limit does not hold here: bodies are streamed, and have a limit of their own (BoundedBody).
    long? IRequestSizeLimitMetadata.MaxRequestBodySize => null;

    private static readonly QueryParameter MaxFailed = new(
        "max_failed", "How many records may fail before the job is given up, and the rest left unprocessed: a number, as 100, or a part of all, as 5%.")
    { Pattern = "^([1-9][0-9]*|([1-9][0-9]?|100)%)$" };

    private readonly QueryParameter _dryRun = new(
        "dry_run", "true rehearses the request: the job tells what would happen to each record, and changes nothing; false unless given.")
    { Kind = QueryValueKind.Flag };

    public IReadOnlyList<QueryParameter> Parameters => _keys.Count == 0 ? [_dryRun, MaxFailed, _retryOf] : [_key, _dryRun, MaxFailed, _retryOf];

    public async Task AcceptAsync(HttpContext context)
    {
        var (request, response) = (context.Request, context.Response);
        var (options, maxFailed) = (ReadOptions(request), ReadMaxFailed(request));
        if (request.ContentLength > intake.MaxBodyBytes)
            throw BoundedBody.TooLarge(intake.MaxBodyBytes);
        var origin = context.Origin();
        var bounded = new BoundedBody(request.Body, intake.MaxBodyBytes);
        // What no key is sent with is not hashed either.
        await using var hashed = origin.IdempotencyKey is null ? null : new FingerprintedBody(request, bounded);
        // RFC 9110, section 15.5.16: Accept-Encoding tells a wrong encoding from a wrong media type.
        await using var body = ContentEncodings.Open(request.Headers.ContentEncoding, hashed ?? (Stream)bounded, intake)
            ?? throw Problems.UnsupportedMediaType.Refusal(Unsupported(request), ("Accept-Encoding", string.Join(", ", ContentEncodings.Supported)));
        var isForm = FormFile.IsSentAs(request.ContentType);
        if (!isForm && !RecordFormats.Knows(request.ContentType))
            throw Problems.UnsupportedMediaType.Refusal(Unsupported(request));
        var parentId = await FindParentAsync(context);
        var bulk = new BulkRequest(context.Caller().CompanyId, route.Operation, options)
        {
            Origin = origin with { ParentId = parentId },
            MaxFailed = maxFailed,
            Fingerprint = hashed is null ? null : hashed.ReadFingerprintAsync,
        };
        ApiJob job;
        // Ended before the answer: whoever has it may send the next request.
        using (uploads.Open(bulk.CompanyId))
        {
            await using var file = isForm ? await FormFile.OpenAsync(request.ContentType, body, intake, context.RequestAborted) : null;
            await using var records = RecordFormats.Open(file?.ContentType ?? request.ContentType, file?.Body ?? body, intake, isCorrection: parentId is not null)
                ?? throw Problems.UnsupportedMediaType.Refusal(Unsupported(request));
            job = await engine.AcceptAsync(bulk, records, context.RequestAborted);
        }

        await response.WriteAcceptedAsync(job, engine, urls);
    }

    private async Task<Guid?> FindParentAsync(HttpContext context)
    {
        if (_retryOf.Text(context.Request) is not { } text)
            return null;
        var parent = await engine.FindNamedAsync(context, text);
        return parent.HasEnded
            ? parent.Id
            : throw Problems.NotEnded.Refusal($"The API job {parent.Id} has not ended, so what there is to correct is not known yet. Send the request again once its end_time is set.");
    }

    private static FailureBound? ReadMaxFailed(HttpRequest request) => MaxFailed.Text(request) switch
    {
        null => null,
        var text when FailureBound.TryParse(text, out var bound) => bound,
        var other => throw QueryParameter.Invalid(
            $"'{MaxFailed.Name}' is '{QueryParameter.Shown(other)}'; send a whole number from 1, or a whole percentage from 1% to 100%. Leave it out to let any number fail."),
    };

    private JobOptions ReadOptions(HttpRequest request) => new() { KeyField = ReadKey(request), DryRun = _dryRun.IsTrue(request) };

    private string? ReadKey(HttpRequest request) => _key.Text(request) switch
    {
        null or IdKey => null,
        var key when _keys.Contains(key) => key,
        var other => throw QueryParameter.Invalid($"Rows cannot be found by '{QueryParameter.Shown(other)}'. {QueryParameter.Allowed("Keys", _keys)}"),
    };

    private static string Unsupported(HttpRequest request)
    {
        var type = request.ContentType is { Length: > 0 } sent ? $"'{QueryParameter.Shown(sent)}'" : "of no Content-Type";
        var encoding = request.Headers.ContentEncoding.Count == 0 ? "" : $", encoded as '{QueryParameter.Shown(request.Headers.ContentEncoding.ToString())}'";
        return $"The body is {type}{encoding}. Send one of {string.Join(", ", RecordFormats.MediaTypes)}, in UTF-8, or one file of these as {FormFile.MediaType}; "
            + $"as it is, or encoded as {string.Join(" or ", ContentEncodings.Supported)}.";
    }

    private static IReadOnlyList<string> KeysOf(BulkRoute route) =>
        route.Operation is ResourceOperation { Verb: ResourceVerb.Upsert } upsert ? [IdKey, .. upsert.KeyFields] : [];
}
