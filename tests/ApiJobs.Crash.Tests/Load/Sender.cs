using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using ApiJobs.Crash.Tests.History;
using ApiJobs.Crash.Tests.Nodes;
using ApiJobs.Resources;

namespace ApiJobs.Crash.Tests.Load;

/// <summary>One company's client: sends one request after another, writes down how each was answered, and looks after its jobs.</summary>
internal sealed class Sender(
    int company, Cluster cluster, HttpClient http, LoadShape shape, RoundHistory history, ClientAccess access, int seed)
{
    private const int JobsAskedAtOnce = 3;

    // Kills come less than a second apart; a client that hears nothing for so long may as well go on.
    private const int MaxSentAgain = 20;

    private static readonly TimeSpan NoNodePause = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan FullPause = TimeSpan.FromMilliseconds(15);

    // Not the plans' dice: when things happen may differ from run to run, what is sent may not.
    private readonly Dice _dice = new(seed, company, -1);
    private readonly AuthenticationHeaderValue _authorization = access.AuthorizationOf(company);
    private readonly JobChanges _changes = new(http, access.AuthorizationOf(company), history);
    private readonly List<JobWatch> _unfinished = [];
    private readonly JobWatchList _ended = new();
    private readonly ConcurrentDictionary<HttpStatusCode, int> _answers = new();

    public async Task SendAllAsync(CancellationToken stop)
    {
        for (var number = 0; !stop.IsCancellationRequested;)
        {
            if (cluster.PickUrl(_dice) is not { } node)
            {
                await PauseAsync(NoNodePause);
                continue;
            }

            if (_unfinished.Count >= shape.MaxUnfinishedJobs)
            {
                await AskAsync(node);
                await PauseAsync(FullPause);
                continue;
            }

            await SendAsync(node, RequestPlan.Of(shape, seed, company, number++), stop);
            if (_unfinished.Count > 0 && _dice.Chance(0.08))
                await _changes.CancelAsync(node, _unfinished[_dice.Next(_unfinished.Count)].Id);
            if (_dice.Chance(0.5))
                await AskAsync(node);
            await PauseAsync(_dice.Milliseconds(0, shape.MaxPauseMilliseconds));
        }
    }

    public int CountAnswers(HttpStatusCode status) => _answers.GetValueOrDefault(status);

    /// <summary>Reads ended jobs once more: none may have changed.</summary>
    public async Task CheckEndedJobsAsync()
    {
        var node = cluster.PickUrl(_dice) ?? throw new InvalidOperationException("No node is up.");
        foreach (var job in _ended.Kept)
            job.Observe(await TryGetJobAsync(node, job.Id), history);
    }

    private async Task SendAsync(Uri node, RequestPlan plan, CancellationToken stop)
    {
        var sent = new SentRequest(plan.Number);
        history.Requests[company].Add(sent);
        await AttemptAsync(node, plan, sent);
        // What a client is not sure of it sends again under its key, to whichever node is up; and sometimes without a reason.
        var isCareless = _dice.Chance(0.2);
        for (var again = 0; plan.HasKey && again < MaxSentAgain && !stop.IsCancellationRequested; again++)
        {
            if (sent.Answer is Answer.Accepted or Answer.Refused && (!isCareless || again > 0))
                break;
            await PauseAsync(FullPause);
            if (cluster.PickUrl(_dice) is { } other)
                await AttemptAsync(other, plan, sent);
        }

        if (sent.Answer == Answer.Accepted)
            _unfinished.Add(new(sent.JobId, plan.Records.Count));
    }

    private async Task AttemptAsync(Uri node, RequestPlan plan, SentRequest sent)
    {
        sent.Attempts++;
        using var request = new HttpRequestMessage(MethodOf(plan.Verb), new Uri(node, $"/engine/api/{access.BulkPath}"))
        {
            Content = new ByteArrayContent(plan.Body()) { Headers = { ContentType = new("application/json") } },
        };
        request.Headers.Authorization = _authorization;
        if (plan.HasKey)
            request.Headers.Add("Idempotency-Key", $"\"request {plan.Number}\"");
        // A client that sent a request again by itself on a broken connection would double it.
        request.Headers.ConnectionClose = true;
        try
        {
            using var answer = await http.SendAsync(request);
            Note(sent, plan, answer, await answer.Content.ReadAsStringAsync());
        }
        catch (HttpRequestException exception) when (exception.HttpRequestError == HttpRequestError.ConnectionError && exception.StatusCode is null)
        {
            sent.Settle(Answer.NotSent);
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException or IOException)
        {
            // The node died, or did not answer in time: what became of the request is for the checker to find out.
            sent.Settle(Answer.Unknown);
        }
    }

    private void Note(SentRequest sent, RequestPlan plan, HttpResponseMessage answer, string body)
    {
        _answers.AddOrUpdate(answer.StatusCode, 1, (_, count) => count + 1);
        switch (answer.StatusCode)
        {
            case HttpStatusCode.Accepted:
                if (!sent.Accept(Guid.Parse(answer.Headers.Location!.OriginalString.Split('/')[^1])))
                    history.Add(Rule.NothingIsDoubled, $"Request {plan.Number} was answered with two jobs under one key, {sent.JobId} among them.");
                if (plan.IsCutOff)
                    history.Add(Rule.AnswersAreClear, $"Request {plan.Number} was cut off, and accepted.");
                break;
            case HttpStatusCode.BadRequest when plan.IsCutOff:
                sent.Settle(Answer.Refused);
                break;
            case HttpStatusCode.ServiceUnavailable:
                sent.Settle(Answer.Unavailable);
                if (answer.Headers.RetryAfter is null)
                    history.Add(Rule.AnswersAreClear, "A 503 has no Retry-After.");
                break;
            default:
                history.Add(Rule.AnswersAreClear, $"Request {plan.Number} was answered with {(int)answer.StatusCode}: {body}");
                break;
        }
    }

    private async Task AskAsync(Uri node)
    {
        for (var asked = 0; asked < JobsAskedAtOnce && _unfinished.Count > 0; asked++)
        {
            // The oldest ends first; any other shows progress.
            var index = asked == 0 ? 0 : _dice.Next(_unfinished.Count);
            var job = _unfinished[index];
            job.Observe(await TryGetJobAsync(node, job.Id), history);
            if (!job.HasEnded)
                continue;
            _unfinished.RemoveAt(index);
            _ended.Keep(job, _dice);
            if (job.HasFailures && _dice.Chance(0.15) && await _changes.RetryAsync(node, job.Id, isTwice: _dice.Chance(0.5)) is { } retry)
                _unfinished.Add(retry);
        }
    }

    /// <returns>Status and body; null if no answer came, or none that says anything about the job.</returns>
    private async Task<(HttpStatusCode Status, string Body)?> TryGetJobAsync(Uri node, Guid id)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(node, $"/engine/api/api-jobs/{id}"));
        request.Headers.Authorization = _authorization;
        return await http.TryAskAsync(request);
    }

    private static HttpMethod MethodOf(ResourceVerb verb) => verb switch
    {
        ResourceVerb.Create => HttpMethod.Post,
        ResourceVerb.Update => HttpMethod.Patch,
        _ => HttpMethod.Put,
    };

    private static Task PauseAsync(TimeSpan pause) => Task.Delay(pause, TimeProvider.System);
}
