using System.Collections.Concurrent;

namespace ApiJobs.Crash.Tests.History;

/// <summary>What the clients of a round saw: every request with its answer, and every fault they noticed themselves.</summary>
internal sealed class RoundHistory(int companies)
{
    private readonly ConcurrentQueue<Violation> _violations = new();

    /// <summary>The requests of each company, in the order they were sent.</summary>
    public IReadOnlyList<List<SentRequest>> Requests { get; } = [.. Enumerable.Range(0, companies).Select(_ => new List<SentRequest>())];

    /// <summary>What became of asking to cancel jobs, by job.</summary>
    public ConcurrentDictionary<Guid, CancelAnswer> Cancels { get; } = new();

    /// <summary>The retries that were accepted, by the job they go on from.</summary>
    public ConcurrentDictionary<Guid, Guid> Retries { get; } = new();

    public IReadOnlyCollection<Violation> Violations => _violations;

    public int Accepted => Requests.Sum(requests => requests.Count(request => request.Answer == Answer.Accepted));

    public int SentAgain => Requests.Sum(requests => requests.Count(request => request.Attempts > 1));

    public void Add(Rule rule, string what) => _violations.Enqueue(new(rule, what));
}

/// <summary>A request as its client saw it.</summary>
internal sealed class SentRequest(int number)
{
    public int Number => number;

    private bool _isUnsure;

    /// <summary>How often it was sent.</summary>
    public int Attempts { get; set; }

    /// <summary>Unknown from the moment it is sent until an answer says otherwise.</summary>
    public Answer Answer { get; private set; } = Answer.Unknown;

    /// <summary>The job, once it was accepted.</summary>
    public Guid JobId { get; private set; }

    /// <summary>Takes note of a job that the request was answered with.</summary>
    /// <returns>Whether it is the one it was answered with before, if it was.</returns>
    public bool Accept(Guid jobId)
    {
        var isSame = JobId == Guid.Empty || JobId == jobId;
        (Answer, JobId) = (Answer.Accepted, jobId);
        return isSame;
    }

    /// <summary>Takes note of another answer. It says nothing of what an earlier attempt may have come to that was not answered.</summary>
    public void Settle(Answer answer)
    {
        if (Answer == Answer.Accepted)
            return;
        _isUnsure |= answer == Answer.Unknown;
        if (!_isUnsure && !(Answer == Answer.Unavailable && answer == Answer.NotSent))
            Answer = answer;
        else if (_isUnsure)
            Answer = Answer.Unknown;
    }
}

/// <summary>How a cancel was answered.</summary>
internal enum CancelAnswer
{
    /// <summary>Not at all, or that the node could not say: the job may have been cancelled or not.</summary>
    Unknown,

    /// <summary>200: the job has failed, for good.</summary>
    Cancelled,

    /// <summary>409: it had ended by itself.</summary>
    HadEnded,
}

/// <summary>How a bulk request was answered.</summary>
internal enum Answer
{
    /// <summary>No answer came, or half of one: it may have been accepted or not.</summary>
    Unknown,

    /// <summary>202: it must never be lost.</summary>
    Accepted,

    /// <summary>400: nothing of it may remain.</summary>
    Refused,

    /// <summary>503.</summary>
    Unavailable,

    /// <summary>No node was reached.</summary>
    NotSent,
}

/// <summary>A promise of the engine that the checker holds it to.</summary>
internal enum Rule
{
    /// <summary>What was acknowledged exists, and each effected record was applied.</summary>
    NothingIsLost,

    /// <summary>Nothing is applied twice, and nothing that was not sent or was refused.</summary>
    NothingIsDoubled,

    /// <summary>Every accepted job ends.</summary>
    EveryJobEnds,

    /// <summary>Each record has one outcome, the one that the order of the lane gives it, and the counts add up.</summary>
    OutcomesAreRight,

    /// <summary>The rows are what the accepted jobs make of them, in lane order.</summary>
    RowsAreRight,

    /// <summary>Jobs are applied in the order they were accepted.</summary>
    LaneOrder,

    /// <summary>Effected records never become fewer; an ended job never changes.</summary>
    ProgressIsForGood,

    /// <summary>The database itself is sound.</summary>
    NoDamage,

    /// <summary>Clients get an answer that the contract has.</summary>
    AnswersAreClear,
}

/// <summary>A broken promise.</summary>
internal sealed record Violation(Rule Rule, string What);
