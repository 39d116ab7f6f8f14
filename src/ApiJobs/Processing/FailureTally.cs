using ApiJobs.Jobs;
using ApiJobs.Storage;

namespace ApiJobs.Processing;

/// <summary>Counts the failed records of the job at hand, and says with which chunk they are too many.</summary>
/// <remarks>
/// Carried from chunk to chunk for the same reason as <see cref="JobMessageWriter"/>'s state: a job that was read ahead is
/// older than what was applied before it. <see cref="Fork"/> makes a copy for an attempt that may be rolled back.
/// </remarks>
internal sealed class FailureTally
{
    private Guid _jobId;
    private long _failed;

    public FailureTally Fork() => new() { _jobId = _jobId, _failed = _failed };

    /// <summary>Adds what a chunk gave.</summary>
    /// <returns>Why its job ends with the chunk; null if it goes on.</returns>
    public JobFailure? Add(PendingChunk chunk, long failed)
    {
        var job = chunk.Job;
        if (job.Id != _jobId)
            (_jobId, _failed) = (job.Id, job.Counts.Failed);
        _failed += failed;
        return job.MaxFailed is { } max && _failed > max ? JobFailure.TooManyFailures(_failed, max) : null;
    }
}

/// <summary>A job is to end with a chunk that is not its last in the group: what comes after it must not be applied.</summary>
internal sealed class EndsWithinGroupException(int chunks) : Exception($"A job ends with chunk {chunks} of the group.")
{
    /// <summary>How many chunks of the group are to be applied.</summary>
    public int Chunks => chunks;
}
