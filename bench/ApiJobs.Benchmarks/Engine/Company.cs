using System.Net.Http.Headers;
using System.Text.Json;

namespace ApiJobs.Benchmarks.Engine;

/// <summary>A company's API client: sends bulk requests over kept connections and follows their jobs.</summary>
internal sealed class Company(HttpClient http, Guid id, string token)
{
    // Often enough to see the end of a long job to within a hundredth, seldom enough to cost the server nothing.
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(20);

    public Guid Id => id;

    public string Token => token;

    /// <summary>A body of JSON that is ready in memory.</summary>
    public static HttpContent Json(ReadOnlyMemory<byte> body) =>
        new ReadOnlyMemoryContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };

    /// <summary>Sends a bulk request: of cases, unless another path is given.</summary>
    /// <returns>The job's id, once the answer is 202.</returns>
    public async Task<Guid> AcceptAsync(
        HttpMethod method, HttpContent body, CancellationToken cancellationToken, string path = "/engine/api/cases/bulk")
    {
        using var request = NewRequest(method, path);
        request.Content = body;
        using var answer = await http.SendAsync(request, cancellationToken);
        return (await ReadAsync(answer, cancellationToken)).Id;
    }

    /// <summary>Whether the server reads bodies of a media type.</summary>
    public async Task<bool> SupportsAsync(string mediaType, CancellationToken cancellationToken)
    {
        using var request = NewRequest(HttpMethod.Patch, "/engine/api/cases/bulk");
        request.Content = new StringContent("{}\n", new MediaTypeHeaderValue(mediaType));
        using var answer = await http.SendAsync(request, cancellationToken);
        return answer.StatusCode != System.Net.HttpStatusCode.UnsupportedMediaType;
    }

    /// <summary>Asks for a job once.</summary>
    public async Task<JobState> GetAsync(Guid jobId, CancellationToken cancellationToken)
    {
        using var request = NewRequest(HttpMethod.Get, $"/engine/api/api-jobs/{jobId}");
        using var answer = await http.SendAsync(request, cancellationToken);
        return await ReadAsync(answer, cancellationToken);
    }

    /// <summary>Asks for a job's answer as it is sent.</summary>
    public async Task<byte[]> GetBytesAsync(Guid jobId, CancellationToken cancellationToken)
    {
        using var request = NewRequest(HttpMethod.Get, $"/engine/api/api-jobs/{jobId}");
        using var answer = await http.SendAsync(request, cancellationToken);
        answer.EnsureSuccessStatusCode();
        return await answer.Content.ReadAsByteArrayAsync(cancellationToken);
    }

    /// <summary>Asks for a page of the company's jobs.</summary>
    /// <param name="query">The filters, as in a URL.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>How many jobs it has.</returns>
    public async Task<int> CountListedAsync(string query, CancellationToken cancellationToken)
    {
        using var request = NewRequest(HttpMethod.Get, $"/engine/api/api-jobs?{query}");
        using var answer = await http.SendAsync(request, cancellationToken);
        answer.EnsureSuccessStatusCode();
        using var page = JsonDocument.Parse(await answer.Content.ReadAsByteArrayAsync(cancellationToken));
        return page.RootElement.GetProperty("data").GetArrayLength();
    }

    /// <summary>Reads an answer to its end, as it comes.</summary>
    /// <returns>How many bytes it has.</returns>
    public async Task<long> ReadToEndAsync(string path, string accept, Stream copy, CancellationToken cancellationToken)
    {
        using var request = NewRequest(HttpMethod.Get, path);
        request.Headers.Accept.ParseAdd(accept);
        using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        answer.EnsureSuccessStatusCode();
        await using var body = await answer.Content.ReadAsStreamAsync(cancellationToken);
        var (buffer, bytes) = (new byte[64 << 10], 0L);
        while (await body.ReadAsync(buffer, cancellationToken) is > 0 and var count)
        {
            await copy.WriteAsync(buffer.AsMemory(0, count), cancellationToken);
            bytes += count;
        }

        return bytes;
    }

    /// <summary>Asks again and again until the job has ended.</summary>
    public async Task<JobState> WaitAsync(Guid jobId, CancellationToken cancellationToken, TimeSpan? pollInterval = null)
    {
        while (true)
        {
            var job = await GetAsync(jobId, cancellationToken);
            if (job.HasEnded)
                return job;
            await Task.Delay(pollInterval ?? PollInterval, TimeProvider.System, cancellationToken);
        }
    }

    /// <summary>Waits for a job's end, and makes sure that it did what is being measured.</summary>
    public async Task WaitUntilEffectedAsync(Guid jobId, long effected, CancellationToken cancellationToken, TimeSpan? pollInterval = null)
    {
        var job = await WaitAsync(jobId, cancellationToken, pollInterval);
        if (job.Status != "completed" || job.EffectedRecords != effected)
            throw new InvalidOperationException($"Job {jobId} should have effected {effected} records, but is {job}.");
    }

    private HttpRequestMessage NewRequest(HttpMethod method, string path) =>
        new(method, path) { Headers = { Authorization = new("Bearer", token) } };

    private static async Task<JobState> ReadAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        var body = await answer.Content.ReadAsByteArrayAsync(cancellationToken);
        if (!answer.IsSuccessStatusCode)
            throw new InvalidOperationException($"{answer.RequestMessage!.Method} {answer.RequestMessage.RequestUri} was answered with {(int)answer.StatusCode}: {System.Text.Encoding.UTF8.GetString(body)}");
        using var json = JsonDocument.Parse(body);
        var job = json.RootElement;
        return new(
            job.GetProperty("id").GetGuid(), job.GetProperty("status").GetString()!,
            job.GetProperty("total_records").GetInt64(), job.GetProperty("effected_records").GetInt64());
    }
}

/// <summary>What a caller sees of a job.</summary>
internal sealed record JobState(Guid Id, string Status, long TotalRecords, long EffectedRecords)
{
    public bool HasEnded => Status is "completed" or "failed";
}
