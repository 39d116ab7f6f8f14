using ApiJobs.Jobs;

namespace ApiJobs.Storage;

/// <summary>Where a lane's jobs stand: counts those before a job, however long the lane is.</summary>
public sealed class LanePlaces
{
    /// <summary>How far behind a lane's head jobs are counted one by one; further back the count follows from the positions.</summary>
    public const int MaxCounted = 1_000;

    private readonly long _head;
    private readonly List<long> _unfinished;

    /// <summary>Takes a lane as it is stored.</summary>
    /// <param name="head">The lane's head position.</param>
    /// <param name="unfinished">The positions of its unfinished jobs from the head on, less than <see cref="MaxCounted"/> behind it; ascending.</param>
    public LanePlaces(long head, IEnumerable<long> unfinished)
    {
        _head = head;
        _unfinished = [.. unfinished];
    }

    /// <summary>How many unfinished jobs come before this one.</summary>
    public long CountBefore(ApiJob job)
    {
        ArgumentNullException.ThrowIfNull(job);
        var index = _unfinished.BinarySearch(job.Position);
        var before = index < 0 ? ~index : index;
        return before + Math.Max(0, job.Position - (_head + MaxCounted));
    }
}
