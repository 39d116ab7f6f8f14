using ApiJobs.Jobs;
using ApiJobs.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace ApiJobs.Waiting;

/// <summary>Reads a job of a company; null if it has none of that id.</summary>
internal delegate ValueTask<ApiJob?> FindJob(Guid companyId, Guid jobId, CancellationToken cancellationToken);

/// <summary>Who waits on this node for which jobs, and what is known of those. One lock, because all that is done under it is short.</summary>
/// <remarks>
/// What this node does to a job, it tells here. What others do, one query a round reads for all jobs that are waited for
/// (<see cref="IJobStore.ReadChangedAsync"/>), only while there are some, and only where there can be others.
/// Nothing is missed, because whoever waits registers before the job is read: a change is either in what is read, or told after.
/// </remarks>
public sealed class JobWatch : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(Guid CompanyId, Guid JobId), WatchedJob> _jobs = [];
    private readonly Dictionary<Guid, int> _waitersOf = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenRegistration _stop;
    private readonly IJobStore _store;
    private readonly WaitOptions _options;
    private readonly ILogger<JobWatch> _logger;
    private int _waiterCount;
    private bool _isLooking;

    /// <summary>Makes a node's watch.</summary>
    /// <param name="store">Is asked for what other nodes did.</param>
    /// <param name="options">The bounds.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Is told when the store does not answer.</param>
    /// <param name="lifetime">When it says that the application stops, nobody is kept waiting any longer.</param>
    public JobWatch(IJobStore store, IOptions<WaitOptions> options, TimeProvider time, ILogger<JobWatch> logger, IHostApplicationLifetime? lifetime = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        (_store, _options, Time, _logger) = (store, options.Value, time, logger);
        Stopping = _stopping.Token;
        _stop = lifetime?.ApplicationStopping.UnsafeRegister(static watch => ((JobWatch)watch!).Stop(), this) ?? default;
    }

    /// <summary>How many wait here.</summary>
    public int WaiterCount => Volatile.Read(ref _waiterCount);

    internal TimeProvider Time { get; }

    internal CancellationToken Stopping { get; }

    /// <summary>Registers somebody who waits for a job.</summary>
    /// <param name="companyId">The company.</param>
    /// <param name="jobId">The job; whether there is one is not asked yet.</param>
    /// <param name="find">Reads the job, if it is not known to others who wait for it.</param>
    /// <returns>Null if too many wait already, on the node or of the company.</returns>
    internal JobWaiter? Watch(Guid companyId, Guid jobId, FindJob find)
    {
        lock (_gate)
        {
            var ofCompany = _waitersOf.GetValueOrDefault(companyId);
            if (_waiterCount >= _options.MaxWaiters || ofCompany >= _options.MaxWaitersPerCompany)
                return null;
            _waitersOf[companyId] = ofCompany + 1;
            _waiterCount++;
            if (!_jobs.TryGetValue((companyId, jobId), out var job))
                _jobs.Add((companyId, jobId), job = new(companyId, jobId));
            var waiter = new JobWaiter(this, job, find);
            job.Waiters.Add(waiter);
            if (_store.IsShared)
                BeginToLook();
            return waiter;
        }
    }

    /// <summary>Tells what this node did, after it was committed.</summary>
    internal void Tell(params IReadOnlyList<ApiJob> jobs)
    {
        // Who registers after this was read reads the job after that, and so sees what was committed before.
        if (WaiterCount == 0)
            return;
        lock (_gate)
        {
            foreach (var job in jobs)
            {
                if (_jobs.TryGetValue((job.CompanyId, job.Id), out var watched))
                    watched.Take(new(job));
            }
        }
    }

    /// <summary>Tells that this node may have done something to jobs whose answer was lost: they are read again soon.</summary>
    internal void Doubt(params IEnumerable<(Guid CompanyId, Guid JobId)> jobs)
    {
        if (WaiterCount == 0)
            return;
        lock (_gate)
        {
            foreach (var key in jobs)
            {
                if (!_jobs.TryGetValue(key, out var watched) || watched.HasEnded)
                    continue;
                watched.IsDoubted = true;
                BeginToLook();
            }
        }
    }

    internal JobNews? NewsOf(WatchedJob job)
    {
        lock (_gate)
            return job.News;
    }

    /// <summary>Reads a job once for all who have begun to wait for it, since the first of them.</summary>
    internal Task<JobNews?> ReadAsync(WatchedJob job, FindJob find)
    {
        lock (_gate)
        {
            if (job.News is { } news)
                return Task.FromResult<JobNews?>(news);
            // Not on this thread, which holds the lock, and not cancelled by one of those who share it.
            if (job.Reading is null or { IsCompleted: true })
                job.Reading = Task.Run(() => ReadNewsAsync(job, find), CancellationToken.None);
            return job.Reading;
        }
    }

    /// <summary>Lays a waiter to sleep unless there is a reason to be awake.</summary>
    internal TaskCompletionSource? FallAsleep(JobWaiter waiter, JobNews seen, bool untilEnd)
    {
        lock (_gate)
        {
            var isAwake = Stopping.IsCancellationRequested
                || (waiter.Job.News is { } news && (untilEnd ? news.Job.HasEnded : news.IsLaterThan(seen)));
            return isAwake ? null : waiter.Sleep(untilEnd);
        }
    }

    internal void Leave(JobWaiter waiter)
    {
        lock (_gate)
        {
            var job = waiter.Job;
            if (!job.Waiters.Remove(waiter))
                return;
            if (job.Waiters.Count == 0)
                _jobs.Remove((job.CompanyId, job.JobId));
            _waiterCount--;
            if (--_waitersOf[job.CompanyId] == 0)
                _waitersOf.Remove(job.CompanyId);
        }
    }

    /// <summary>Keeps nobody waiting any longer.</summary>
    public void Dispose()
    {
        _stop.Dispose();
        Stop();
    }

    private void Stop()
    {
        _stopping.Cancel();
        lock (_gate)
        {
            foreach (var waiter in _jobs.Values.SelectMany(job => job.Waiters))
                waiter.Wake(isEnd: true);
        }
    }

    private async Task<JobNews?> ReadNewsAsync(WatchedJob job, FindJob find)
    {
        var read = await find(job.CompanyId, job.JobId, CancellationToken.None);
        lock (_gate)
        {
            if (read is not null)
                job.Take(new(read));
            return job.News;
        }
    }

    private void BeginToLook()
    {
        if (_isLooking || Stopping.IsCancellationRequested)
            return;
        _isLooking = true;
        _ = Task.Run(LookAsync, CancellationToken.None);
    }

    private async Task LookAsync()
    {
        var isAway = false;
        while (true)
        {
            await Task.Delay(_options.LookInterval, Time, Stopping).ContinueWith(static _ => { }, TaskScheduler.Default);
            if (!TryBeginRound(out var round))
                return;
            try
            {
                if (round.Count > 0)
                    Tell(await _store.ReadChangedAsync([.. round.Select(job => job.Seen)], Stopping));
                isAway = false;
            }
            catch (Exception exception)
            {
                // Looked at again in the next round; said once, as the workers on the same store say it too.
                if (!isAway && !Stopping.IsCancellationRequested)
                    _logger.WatchIsBlind(exception, round.Count);
                isAway = true;
                Doubt(round.Where(job => job.WasDoubted).Select(job => (job.Seen.CompanyId, job.Seen.JobId)));
            }
        }
    }

    /// <returns>False if there is nothing left to look for.</returns>
    private bool TryBeginRound(out List<(SeenJob Seen, bool WasDoubted)> round)
    {
        round = [];
        lock (_gate)
        {
            var isNeeded = false;
            foreach (var job in _jobs.Values)
            {
                if (job.HasEnded || !(job.IsDoubted || _store.IsShared))
                    continue;
                isNeeded = true;
                // What is being read for the first time may have been read before what is in doubt: it is looked at in a later round.
                if (job.News is null)
                    continue;
                round.Add((job.Seen, job.IsDoubted));
                job.IsDoubted = false;
            }

            _isLooking = isNeeded && !Stopping.IsCancellationRequested;
            return _isLooking;
        }
    }
}
