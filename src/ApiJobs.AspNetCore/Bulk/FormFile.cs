using ApiJobs.AspNetCore.Answers;
using ApiJobs.AspNetCore.Requests;
using ApiJobs.Intake;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace ApiJobs.AspNetCore.Bulk;

/// <summary>The one file of a form (<c>multipart/form-data</c>, RFC 7578), read as a stream: what browsers and <c>curl -F</c> send.</summary>
/// <remarks>
/// Whether the file is the only part is known at its end. There the body refuses what comes after it, before the job is made.
/// </remarks>
internal sealed class FormFile : IAsyncDisposable
{
    public const string MediaType = "multipart/form-data";

    private const int MaxBoundaryLength = 70;
    private const string OneFile = "Send a form with exactly one file, and nothing else: curl -F file=@records.csv";

    private FormFile(string contentType, Stream body) => (ContentType, Body) = (contentType, body);

    /// <summary>The media type of the file's records.</summary>
    public string ContentType { get; }

    /// <summary>The file's bytes, decompressed.</summary>
    public Stream Body { get; }

    /// <summary>Whether a request's body is a form.</summary>
    public static bool IsSentAs(string? contentType) =>
        MediaTypeHeaderValue.TryParse(contentType, out var type) && type.MediaType.Equals(MediaType, StringComparison.OrdinalIgnoreCase);

    /// <summary>Reads a form as far as its file.</summary>
    /// <exception cref="ProblemException">It is broken, or has no file, or something before it, or one of an unknown type.</exception>
    public static async Task<FormFile> OpenAsync(string? contentType, Stream body, IntakeOptions intake, CancellationToken cancellationToken)
    {
        var boundary = HeaderUtilities.RemoveQuotes(MediaTypeHeaderValue.Parse(contentType).Boundary).Value;
        if (boundary is not { Length: > 0 and <= MaxBoundaryLength })
            throw Problems.InvalidForm.Refusal($"The Content-Type of the form has no boundary of 1 to {MaxBoundaryLength} characters. Leave it to the program that makes the form to set the header.");
        var form = new MultipartReader(boundary, body);
        var part = await NextPartAsync(form, cancellationToken) ?? throw Problems.InvalidForm.Refusal($"The form is empty. {OneFile}");
        if (FileNameOf(part) is not { } name)
            throw Problems.InvalidForm.Refusal($"The form has a field that is no file{Named(part)}. {OneFile}");

        var isGzip = name.EndsWith(".gz", StringComparison.OrdinalIgnoreCase);
        var type = TypeOf(part.ContentType, isGzip ? name[..^3] : name) ?? throw UnknownType(part.ContentType, name);
        var file = new Content(form, part.Body);
        return new(type, isGzip ? ContentEncodings.Open("gzip", file, intake)! : file);
    }

    public ValueTask DisposeAsync() => Body.DisposeAsync();

    // What the part says of itself counts if it says something; many programs say only that it is bytes. Records of another charset are none of ours, whatever the name.
    private static string? TypeOf(string? said, string name) =>
        RecordFormats.Knows(said) ? said : SaysRecords(said) ? null : Path.GetExtension(name).ToLowerInvariant() switch
        {
            ".csv" => "text/csv",
            ".json" => "application/json",
            ".ndjson" or ".jsonl" => "application/x-ndjson",
            _ => null,
        };

    private static bool SaysRecords(string? said) =>
        MediaTypeHeaderValue.TryParse(said, out var type) && RecordFormats.MediaTypes.Contains(type.MediaType.ToString(), StringComparer.OrdinalIgnoreCase);

    private static string? FileNameOf(MultipartSection part) =>
        ContentDispositionHeaderValue.TryParse(part.ContentDisposition, out var disposition)
        && disposition.DispositionType.Equals("form-data", StringComparison.OrdinalIgnoreCase)
        && (disposition.FileNameStar.HasValue || disposition.FileName.HasValue)
            ? HeaderUtilities.RemoveQuotes(disposition.FileNameStar.HasValue ? disposition.FileNameStar : disposition.FileName).ToString()
            : null;

    private static string Named(MultipartSection part) =>
        ContentDispositionHeaderValue.TryParse(part.ContentDisposition, out var disposition) && disposition.Name.HasValue
            ? $", '{QueryParameter.Shown(HeaderUtilities.RemoveQuotes(disposition.Name).ToString())}'"
            : "";

    private static ProblemException UnknownType(string? said, string name)
    {
        var type = said is { Length: > 0 } ? $"'{QueryParameter.Shown(said)}'" : "without a Content-Type";
        return Problems.UnsupportedMediaType.Refusal(
            $"The file '{QueryParameter.Shown(name)}' is {type}. Send it with one of {string.Join(", ", RecordFormats.MediaTypes)}, in UTF-8, "
            + "or with a name that ends in .csv, .json, .ndjson or .jsonl, and .gz after that if it is compressed.");
    }

    private static async Task<MultipartSection?> NextPartAsync(MultipartReader form, CancellationToken cancellationToken)
    {
        try
        {
            return await form.ReadNextSectionAsync(cancellationToken);
        }
        catch (Exception exception) when (IsBroken(exception))
        {
            throw Broken(exception);
        }
    }

    // What the multipart reader throws of its own; a client that hangs up, and the server's limits, throw what is derived from it.
    private static bool IsBroken(Exception exception) => exception is InvalidDataException
        || (exception.GetType() == typeof(IOException) && exception.InnerException is not OverflowException);

    private static ProblemException Broken(Exception exception) => Problems.InvalidForm.Refusal(exception is InvalidDataException
        ? $"The form cannot be read: a part's headers, or the text before the first part or after the last boundary, are too long. {OneFile}"
        : $"The form ends before its last boundary. If it was broken off on its way, send it again. {OneFile}");

    // A boundary with nothing after it is what a form that was cut off within its last one ends with.
    private static ProblemException Follows(MultipartSection second) => Problems.InvalidForm.Refusal(second.Headers is { Count: > 0 }
        ? $"The form has more than the one file: another part{Named(second)} follows it. {OneFile}"
        : $"The form ends before its last boundary, or has another part, without headers. If it was broken off on its way, send it again. {OneFile}");

    /// <summary>The file's bytes as sent. At their end, the form must end.</summary>
    private sealed class Content(MultipartReader form, Stream file) : BodyStream
    {
        private bool _isChecked;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (buffer.IsEmpty || _isChecked)
                return 0;
            int count;
            try
            {
                count = await file.ReadAsync(buffer, cancellationToken);
            }
            catch (Exception exception) when (IsBroken(exception))
            {
                throw Broken(exception);
            }

            if (count > 0)
                return count;
            if (await NextPartAsync(form, cancellationToken) is { } second)
                throw Follows(second);
            _isChecked = true;
            return 0;
        }
    }
}
