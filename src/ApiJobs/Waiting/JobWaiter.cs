namespace ApiJobs.Waiting;

/// <summary>Somebody who waits for a job: a request that is answered late, or an event stream. It holds no thread, and asks the store for nothing by itself.</summary>
/// <remarks>For one at a time; dispose of it when the waiting is over.</remarks>
public sealed class JobWaiter : IDisposable
{
    private readonly JobWatch _watch;
    private readonly WatchedJob _job;
    private readonly FindJob _find;
    private TaskCompletionSource? _sleep;
    private bool _sleepsUntilEnd;

    internal JobWaiter(JobWatch watch, WatchedJob job, FindJob find) => (_watch, _job, _find) = (watch, job, find);

    /// <summary>The latest that is known of the job; null until <see cref="ReadAsync"/> has found it.</summary>
    public JobNews? Latest => _watch.NewsOf(_job);

    /// <summary>Cancelled when the node stops: nobody is to be kept waiting any longer.</summary>
    public CancellationToken Stopping => _watch.Stopping;

    internal WatchedJob Job => _job;

    /// <summary>Reads the job, unless it is known to others who wait for it. Every later change is told.</summary>
    /// <returns>The job's news, or null if the company has no such job.</returns>
    public Task<JobNews?> ReadAsync(CancellationToken cancellationToken) => _watch.ReadAsync(_job, _find).WaitAsync(cancellationToken);

    /// <summary>Waits until the job has ended, at most for some time, or until the node stops.</summary>
    /// <returns>The latest that is known by then, ended or not; null if the company has no such job.</returns>
    public async Task<JobNews?> WaitForEndAsync(TimeSpan atMost, CancellationToken cancellationToken)
    {
        var began = _watch.Time.GetTimestamp();
        var news = await ReadAsync(cancellationToken);
        while (news is { Job.HasEnded: false } && !Stopping.IsCancellationRequested && atMost - _watch.Time.GetElapsedTime(began) is { Ticks: > 0 } rest)
        {
            await SleepAsync(news, untilEnd: true, rest, cancellationToken);
            news = Latest;
        }

        return news;
    }

    /// <summary>Waits until there is later news than <paramref name="seen"/>, at most for some time, or until the node stops. May return early for no reason.</summary>
    /// <param name="seen">What the caller knows already.</param>
    /// <param name="untilEnd">Whether only the job's end is worth waking up for.</param>
    /// <param name="atMost">The longest time to wait.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public async Task SleepAsync(JobNews seen, bool untilEnd, TimeSpan atMost, CancellationToken cancellationToken)
    {
        if (_watch.FallAsleep(this, seen, untilEnd) is not { } sleep)
            return;
        using var timer = _watch.Time.CreateTimer(static sleep => ((TaskCompletionSource)sleep!).TrySetResult(), sleep, atMost, Timeout.InfiniteTimeSpan);
        using var cancelling = cancellationToken.UnsafeRegister(static (sleep, token) => ((TaskCompletionSource)sleep!).TrySetCanceled(token), sleep);
        await sleep.Task;
    }

    /// <summary>Ends the waiting.</summary>
    public void Dispose() => _watch.Leave(this);

    /// <summary>Under the watch's lock.</summary>
    internal TaskCompletionSource Sleep(bool untilEnd)
    {
        _sleepsUntilEnd = untilEnd;
        return _sleep = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>Under the watch's lock.</summary>
    internal void Wake(bool isEnd)
    {
        if (isEnd || !_sleepsUntilEnd)
            _sleep?.TrySetResult();
    }
}
