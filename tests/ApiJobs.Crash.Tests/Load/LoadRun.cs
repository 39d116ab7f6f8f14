using System.Net;
using System.Net.Http.Headers;
using ApiJobs.Crash.Tests.History;
using ApiJobs.Crash.Tests.Nodes;
using ApiJobs.Crash.Tests.Rounds;

namespace ApiJobs.Crash.Tests.Load;

/// <summary>The clients of a round: one a company, all sending at the same time, whatever becomes of the nodes.</summary>
internal sealed class LoadRun : IAsyncDisposable
{
    // Long enough for a machine under load; a stopped node must not stop its clients.
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _stop = new();
    private readonly HttpClient _http = NewHttpClient();
    private readonly Sender[] _senders;
    private Task _sending = Task.CompletedTask;

    public LoadRun(Cluster cluster, LoadShape shape, RoundHistory history, ClientAccess access, int seed)
    {
        _senders = [.. Enumerable.Range(0, shape.Companies).Select(
            company => new Sender(company, cluster, _http, shape, history, access, seed))];
    }

    public void Start() => _sending = Task.WhenAll(_senders.Select(sender => Task.Run(() => sender.SendAllAsync(_stop.Token))));

    /// <summary>Sends no more. Requests that are on their way get their answer first.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _sending;
    }

    /// <summary>Reads the ended jobs once more: none may have changed.</summary>
    public async Task CheckEndedJobsAsync()
    {
        foreach (var sender in _senders)
            await sender.CheckEndedJobsAsync();
    }

    /// <summary>The number of requests that have been answered so far with a status.</summary>
    public int CountAnswers(HttpStatusCode status) => _senders.Sum(sender => sender.CountAnswers(status));

    /// <summary>Waits until so many requests more have been accepted.</summary>
    /// <returns>Whether they were, in time.</returns>
    public Task<bool> WaitForAcceptedAsync(int more, TimeSpan within)
    {
        var enough = CountAnswers(HttpStatusCode.Accepted) + more;
        return Wait.UntilAsync(() => Task.FromResult(CountAnswers(HttpStatusCode.Accepted) >= enough), within);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _http.Dispose();
        _stop.Dispose();
    }

    private static HttpClient NewHttpClient()
    {
        var handler = new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(2), UseCookies = false, UseProxy = false };
        return new(handler) { Timeout = AnswerWithin };
    }
}

/// <summary>How clients reach the API: where bulk requests go, what the jobs' types begin with, and who the caller is.</summary>
internal sealed record ClientAccess(string BulkPath, string TypePrefix, Func<int, AuthenticationHeaderValue> AuthorizationOf)
{
    /// <summary>The way into <see cref="NodeProgram"/>.</summary>
    public static ClientAccess OfNodes { get; } = new(
        NodeProgram.BulkPath, NodeProgram.TypePrefix, company => new("Bearer", LoadShape.CompanyId(company).ToString()));
}
