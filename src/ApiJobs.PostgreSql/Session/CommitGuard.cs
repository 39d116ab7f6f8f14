namespace ApiJobs.PostgreSql.Session;

/// <summary>Stands between what may be cancelled and the commit, which may not.</summary>
internal sealed class CommitGuard(CancellationToken cancellationToken) : IDisposable
{
    private const int Before = 0, Committing = 1, Cancelled = 2;

    private readonly CancellationTokenSource _cancelling = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
    private int _state = Before;

    /// <summary>Cancels what comes before the commit.</summary>
    internal CancellationToken UntilCommit => _cancelling.Token;

    /// <summary>Says that only the commit's answer is waited for from here on.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled before.</exception>
    internal void ReachCommit()
    {
        if (Interlocked.CompareExchange(ref _state, Committing, Before) != Before)
            throw new OperationCanceledException(_cancelling.Token);
    }

    /// <summary>Cancels, unless the commit is on its way.</summary>
    internal bool TryCancel()
    {
        if (Interlocked.CompareExchange(ref _state, Cancelled, Before) != Before)
            return false;
        try
        {
            _cancelling.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has ended meanwhile.
        }

        return true;
    }

    public void Dispose() => _cancelling.Dispose();
}
