namespace ApiJobs.PostgreSql.Lanes;

/// <summary>Wakes this node's workers when a lane may have got work. A lost pulse only costs time, for every wait ends by itself.</summary>
internal sealed class WorkSignal(TimeProvider time)
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _next = NewPulse();
    private int _waiting;
    private int _pulses;
    private bool _missed;

    /// <summary>How often the signal was given so far.</summary>
    internal int Pulses => Volatile.Read(ref _pulses);

    internal void Pulse()
    {
        TaskCompletionSource pulse;
        Interlocked.Increment(ref _pulses);
        lock (_lock)
        {
            // Somebody may be between a claim that found nothing and the wait that follows it.
            _missed = _waiting == 0;
            pulse = _next;
            _next = NewPulse();
        }

        pulse.SetResult();
    }

    internal async Task WaitAsync(TimeSpan atMost, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Task pulse;
        lock (_lock)
        {
            if (_missed)
            {
                _missed = false;
                return;
            }

            _waiting++;
            pulse = _next.Task;
        }

        try
        {
            await pulse.WaitAsync(atMost, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // The wait is over: the caller polls.
        }
        finally
        {
            lock (_lock)
                _waiting--;
        }
    }

    private static TaskCompletionSource NewPulse() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
