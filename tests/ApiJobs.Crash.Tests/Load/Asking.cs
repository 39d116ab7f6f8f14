using System.Net;

namespace ApiJobs.Crash.Tests.Load;

/// <summary>Requests to nodes that may be killed at any moment.</summary>
internal static class Asking
{
    /// <summary>Sends a request once.</summary>
    /// <returns>Status and body; null if no answer came, or none that says anything about the job.</returns>
    public static async Task<(HttpStatusCode Status, string Body)?> TryAskAsync(this HttpClient http, HttpRequestMessage request)
    {
        try
        {
            using var answer = await http.SendAsync(request);
            var body = await answer.Content.ReadAsStringAsync();
            return answer.StatusCode == HttpStatusCode.ServiceUnavailable ? null : (answer.StatusCode, body);
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException or IOException)
        {
            return null;
        }
    }
}
