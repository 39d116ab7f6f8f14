using ApiJobs.Jobs;

namespace ApiJobs.Waiting;

/// <summary>A job as it became known, for all who wait for it: they share one reading of its message.</summary>
public sealed class JobNews
{
    private readonly Lock _gate = new();
    private Task<string>? _message;

    /// <summary>Makes news of a job as it was read just now.</summary>
    public JobNews(ApiJob job)
    {
        ArgumentNullException.ThrowIfNull(job);
        Job = job;
    }

    /// <summary>The job.</summary>
    public ApiJob Job { get; }

    /// <summary>Reads the entries of the job's message, of the moment of the news; once for all who ask, unless it fails.</summary>
    /// <inheritdoc cref="ApiJobEngine.ReadMessageAsync"/>
    public Task<string> ReadMessageAsync(ApiJobEngine engine, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(engine);
        lock (_gate)
        {
            // Not on this thread, which holds the lock, and not cancelled by one of those who share it.
            if (_message is null or { IsFaulted: true })
                _message = Job.MessageEntryCount == 0 ? Task.FromResult("") : Task.Run(async () => await engine.ReadMessageAsync(Job, CancellationToken.None), CancellationToken.None);
            return _message.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Whether this is of a later moment of the job. What is told on this node and what is read may cross.</summary>
    internal bool IsLaterThan(JobNews other) =>
        !other.Job.HasEnded && (Job.HasEnded || Job.NextChunk > other.Job.NextChunk);
}
