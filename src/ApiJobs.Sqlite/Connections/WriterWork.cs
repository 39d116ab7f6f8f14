namespace ApiJobs.Sqlite.Connections;

/// <summary>Something to do on the writer's connection, and the caller that waits for it to be durable.</summary>
internal abstract class WriterWork(bool isLong, CancellationToken cancellationToken)
{
    /// <summary>Whether it may take so long that others should not share, and so await, its transaction.</summary>
    internal bool IsLong { get; } = isLong;

    internal CancellationToken CancellationToken { get; } = cancellationToken;

    /// <summary>Writes, inside the transaction.</summary>
    internal abstract Task RunAsync(SqliteSession session);

    /// <summary>Called by the writer in the order of the commits, before any caller goes on.</summary>
    internal abstract void Committed();

    /// <summary>Lets the caller go on with what the work returned.</summary>
    internal abstract void Complete();

    /// <summary>Lets the caller go on with an exception, unless it has gone on already.</summary>
    internal abstract void Fail(Exception exception);

    internal abstract void Cancel();
}

/// <inheritdoc/>
internal sealed class WriterWork<T>(
    Func<SqliteSession, Task<T>> run, Action<T>? committed, bool isLong, CancellationToken cancellationToken)
    : WriterWork(isLong, cancellationToken)
{
    private readonly TaskCompletionSource<T> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private T _result = default!;

    internal Task<T> Done => _done.Task;

    internal override async Task RunAsync(SqliteSession session) => _result = await run(session);

    internal override void Committed()
    {
        try
        {
            committed?.Invoke(_result);
        }
        catch (Exception exception)
        {
            // The writer goes on whatever its callers' code does.
            Fail(exception);
        }
    }

    internal override void Complete() => _done.TrySetResult(_result);

    internal override void Fail(Exception exception) => _done.TrySetException(exception);

    internal override void Cancel() => _done.TrySetCanceled(CancellationToken);
}
