using ApiJobs.Storage;

namespace ApiJobs.Waiting;

/// <summary>A job that somebody waits for on this node. Everything of it is under the lock of the <see cref="JobWatch"/>.</summary>
internal sealed class WatchedJob(Guid companyId, Guid jobId)
{
    public Guid CompanyId => companyId;

    public Guid JobId => jobId;

    public HashSet<JobWaiter> Waiters { get; } = [];

    /// <summary>The latest that is known; null until it was read, or while there is no such job.</summary>
    public JobNews? News { get; private set; }

    /// <summary>The reading that all share who came before there was news.</summary>
    public Task<JobNews?>? Reading { get; set; }

    /// <summary>Whether something may have happened on this node that could not be told.</summary>
    public bool IsDoubted { get; set; }

    public bool HasEnded => News is { Job.HasEnded: true };

    /// <summary>The moment after which the store is to be asked for changes.</summary>
    public SeenJob Seen => new(companyId, jobId, News!.Job.NextChunk);

    /// <summary>Takes news unless later ones are known, and wakes who waits for them.</summary>
    public void Take(JobNews news)
    {
        if (News is not null && !news.IsLaterThan(News))
            return;
        News = news;
        foreach (var waiter in Waiters)
            waiter.Wake(news.Job.HasEnded);
    }
}
