using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using ApiJobs.Crash.Tests.History;

namespace ApiJobs.Crash.Tests.Load;

/// <summary>What a client does with jobs that it has sent: it cancels and retries them, and writes down how that was answered.</summary>
internal sealed class JobChanges(HttpClient http, AuthenticationHeaderValue authorization, RoundHistory history)
{
    /// <summary>Asks for the end of a job, under a key; once more when no answer came.</summary>
    public async Task CancelAsync(Uri node, Guid job)
    {
        if (!history.Cancels.TryAdd(job, CancelAnswer.Unknown))
            return;
        var answer = await PostAsync(node, $"{job}/cancel", $"cancel {job}") ?? await PostAsync(node, $"{job}/cancel", $"cancel {job}");
        if (answer is not var (status, body))
            return;
        history.Cancels[job] = (status, body) switch
        {
            (HttpStatusCode.OK, _) when Text(body, "status") == "failed" && Text(body, "id") == job.ToString() => CancelAnswer.Cancelled,
            (HttpStatusCode.Conflict, _) when Text(body, "code") == "already_ended" => CancelAnswer.HadEnded,
            _ => Unclear(),
        };

        CancelAnswer Unclear()
        {
            history.Add(Rule.AnswersAreClear, $"Cancelling the job {job} was answered with {(int)status}: {body}");
            return CancelAnswer.Unknown;
        }
    }

    /// <summary>Asks for a retry of an ended job, and perhaps for a second one, which must be refused.</summary>
    /// <returns>The new job; null if none was made, or no answer came.</returns>
    public async Task<JobWatch?> RetryAsync(Uri node, Guid job, bool isTwice)
    {
        var answer = await PostAsync(node, $"{job}/retry", key: null);
        if (answer is not var (status, body))
            return null;
        if (status == HttpStatusCode.Conflict && Text(body, "code") == "nothing_to_retry")
            return null;
        if (status != HttpStatusCode.Accepted)
        {
            history.Add(Rule.AnswersAreClear, $"Retrying the job {job} was answered with {(int)status}: {body}");
            return null;
        }

        var child = Guid.Parse(Text(body, "id")!);
        history.Retries[job] = child;
        if (isTwice && await PostAsync(node, $"{job}/retry", key: null) is var (again, refusal)
            && (again != HttpStatusCode.Conflict || Text(refusal, "child") != child.ToString()))
        {
            history.Add(Rule.NothingIsDoubled, $"Retrying the job {job} again, after {child}, was answered with {(int)again}: {refusal}");
        }

        using var json = JsonDocument.Parse(body);
        return new(child, json.RootElement.GetProperty("total_records").GetInt32());
    }

    /// <returns>Status and body; null if no answer came, or none that says what was done.</returns>
    private async Task<(HttpStatusCode Status, string Body)?> PostAsync(Uri node, string path, string? key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(node, $"/engine/api/api-jobs/{path}"));
        request.Headers.Authorization = authorization;
        request.Headers.ConnectionClose = true;
        if (key is not null)
            request.Headers.Add("Idempotency-Key", $"\"{key}\"");
        return await http.TryAskAsync(request);
    }

    private static string? Text(string body, string member)
    {
        using var json = JsonDocument.Parse(body);
        return json.RootElement.TryGetProperty(member, out var value) ? value.GetString() : null;
    }
}
