using System.Net;
using System.Text.Json;
using ApiJobs.Crash.Tests.History;

namespace ApiJobs.Crash.Tests.Load;

/// <summary>A job as its client saw it last: what it shows next must follow from that.</summary>
internal sealed class JobWatch(Guid id, int totalRecords)
{
    private static readonly string[] Statuses = ["pending", "processing", "completed", "failed"];

    private static readonly int FirstEnd = Array.IndexOf(Statuses, "completed");

    private int _status;
    private long _effected;
    private string? _endedAs;

    public Guid Id => id;

    public bool HasEnded => _endedAs is not null;

    /// <summary>Whether some of its records were not effected: then there may be something to retry.</summary>
    public bool HasFailures { get; private set; }

    /// <summary>Takes note of an answer; null is none.</summary>
    public void Observe((HttpStatusCode Status, string Body)? answer, RoundHistory history)
    {
        if (answer is not var (code, body))
            return;
        if (code == HttpStatusCode.NotFound)
        {
            history.Add(Rule.NothingIsLost, $"Job {id} was accepted, and is not found.");
            return;
        }

        if (code != HttpStatusCode.OK)
        {
            history.Add(Rule.AnswersAreClear, $"The job {id} was answered with {(int)code}: {body}");
            return;
        }

        if (_endedAs is not null)
        {
            if (_endedAs != body)
                history.Add(Rule.ProgressIsForGood, $"Job {id} had ended and changed:\n{_endedAs}\n{body}");
            return;
        }

        using var json = JsonDocument.Parse(body);
        var job = json.RootElement;
        var status = Array.IndexOf(Statuses, job.GetProperty("status").GetString());
        var effected = job.GetProperty("effected_records").GetInt64();
        var hasEndTime = job.GetProperty("end_time").ValueKind != JsonValueKind.Null;
        HasFailures = effected < totalRecords;
        if (status < _status || effected < _effected)
            history.Add(Rule.ProgressIsForGood, $"Job {id} went back, from {Statuses[_status]} with {_effected} effected records: {body}");
        if (job.GetProperty("total_records").GetInt64() != totalRecords || effected > totalRecords || hasEndTime != (status >= FirstEnd))
            history.Add(Rule.OutcomesAreRight, $"Job {id} of {totalRecords} records does not add up: {body}");
        (_status, _effected) = (Math.Max(status, 0), effected);
        if (hasEndTime)
            _endedAs = body;
    }
}

/// <summary>Some of the ended jobs, chosen so that each has the same chance, to be looked at again.</summary>
internal sealed class JobWatchList
{
    private const int MaxKept = 100;

    private readonly List<JobWatch> _kept = [];
    private int _seen;

    public IReadOnlyList<JobWatch> Kept => _kept;

    public void Keep(JobWatch job, Dice dice)
    {
        _seen++;
        if (_kept.Count < MaxKept)
            _kept.Add(job);
        else if (dice.Next(_seen) is < MaxKept and var place)
            _kept[place] = job;
    }
}
