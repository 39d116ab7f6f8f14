using System.Net;
using System.Text.Json;

namespace ApiJobs.Server.Tests.Contract;

/// <summary>Reads an event stream as a browser would.</summary>
internal sealed class EventReader : IDisposable
{
    private readonly HttpResponseMessage _answer;
    private readonly StreamReader _lines;

    private EventReader(HttpResponseMessage answer, Stream body) => (_answer, _lines) = (answer, new(body));

    public HttpResponseMessage Answer => _answer;

    /// <summary>The lines that were comments, so far.</summary>
    public int Comments { get; private set; }

    /// <summary>What the stream says of connecting again, in milliseconds.</summary>
    public string? Retry { get; private set; }

    public static async Task<EventReader> OpenAsync(HttpClient client, string url, string? lastEventId = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, url);
        if (lastEventId is not null)
            request.Headers.TryAddWithoutValidation("Last-Event-ID", lastEventId);
        var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        return new(answer, await answer.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>The next event; null at the end of the stream.</summary>
    public async Task<ServerEvent?> ReadAsync()
    {
        var (name, id, data) = ("", "", "");
        while (await _lines.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            switch (line.Split(": ", 2))
            {
                case ["event", var value]:
                    name = value;
                    break;
                case ["id", var value]:
                    id = value;
                    break;
                case ["data", var value]:
                    data = value;
                    break;
                case ["retry", var value]:
                    Retry = value;
                    break;
                case [""] when name.Length > 0:
                    using (var json = JsonDocument.Parse(data))
                        return new(name, id, json.RootElement.Clone());
                case [""]:
                    break;
                default:
                    line.ShouldStartWith(":");
                    Comments++;
                    break;
            }
        }

        return null;
    }

    public async Task<List<ServerEvent>> ReadToEndAsync()
    {
        var events = new List<ServerEvent>();
        while (await ReadAsync() is { } next)
            events.Add(next);
        return events;
    }

    public void Dispose()
    {
        _lines.Dispose();
        _answer.Dispose();
    }
}

internal sealed record ServerEvent(string Name, string Id, JsonElement Job);
