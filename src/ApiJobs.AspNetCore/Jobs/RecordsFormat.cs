using ApiJobs.AspNetCore.Answers;
using ApiJobs.AspNetCore.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace ApiJobs.AspNetCore.Jobs;

/// <summary>A media type that a job's records can be answered in.</summary>
internal sealed record RecordsFormat(string MediaType, string ContentType, string FileExtension)
{
    /// <summary>A page; what is answered to whoever does not say what they want.</summary>
    public static readonly RecordsFormat Json = new("application/json", "application/json", "json");

    /// <summary>One object a line.</summary>
    public static readonly RecordsFormat Ndjson = new("application/x-ndjson", "application/x-ndjson", "ndjson");

    /// <summary>A header row, and a row a record.</summary>
    public static readonly RecordsFormat Csv = new("text/csv", "text/csv; charset=utf-8", "csv");

    public static IReadOnlyList<RecordsFormat> All { get; } = [Json, Ndjson, Csv];

    /// <summary>The format that the Accept header likes best (RFC 9110, section 12.5.1); of equals the one it names more exactly, then the one it names first.</summary>
    /// <exception cref="ProblemException">It likes none of them.</exception>
    public static RecordsFormat AcceptedBy(HttpRequest request)
    {
        var accept = request.Headers.Accept;
        if (accept.All(string.IsNullOrWhiteSpace))
            return Json;
        if (!MediaTypeHeaderValue.TryParseList(accept, out var ranges))
            throw NotAcceptable(accept.ToString());
        var best = All.Select(format => (Format: format, Liking: LikingOf(format, ranges)))
            .Where(choice => choice.Liking.Quality > 0)
            .OrderByDescending(choice => choice.Liking.Quality).ThenByDescending(choice => choice.Liking.Exactness).ThenBy(choice => choice.Liking.Place)
            .FirstOrDefault();
        return best.Format ?? throw NotAcceptable(accept.ToString());
    }

    // Of the ranges that a media type is in, the most exact one says how much it is liked.
    private static (double Quality, int Exactness, int Place) LikingOf(RecordsFormat format, IList<MediaTypeHeaderValue> ranges)
    {
        var liking = (Quality: 0.0, Exactness: -1, Place: int.MaxValue);
        for (var place = 0; place < ranges.Count; place++)
        {
            var range = ranges[place];
            var exactness = range.MatchesAllTypes ? 0
                : range.MatchesAllSubTypes && range.Type.Equals(format.MediaType.Split('/')[0], StringComparison.OrdinalIgnoreCase) ? 1
                : range.MediaType.Equals(format.MediaType, StringComparison.OrdinalIgnoreCase) ? 2
                : -1;
            if (exactness > liking.Exactness)
                liking = (range.Quality ?? 1, exactness, place);
        }

        return liking;
    }

    private static ProblemException NotAcceptable(string accept) => Problems.NotAcceptable.Refusal(
        $"The records cannot be answered as '{QueryParameter.Shown(accept)}'. Send an Accept header with one of {string.Join(", ", All.Select(format => format.MediaType))}, or none.");
}
