namespace ApiJobs.Sqlite.Connections;

/// <summary>Which works a work comes after, and which it shares a transaction with.</summary>
internal enum WriterTurn
{
    /// <summary>A caller waits for the answer: before all that waits, together with others of its kind.</summary>
    Prompt,

    /// <summary>A few records: after the prompt ones, in their transaction.</summary>
    Shared,

    /// <summary>May take so long that others should not await its commit: a transaction of its own.</summary>
    Alone,
}

/// <summary>Something to do on the writer's connection, and the caller that waits for it to be durable.</summary>
internal abstract class WriterWork(WriterTurn turn, CancellationToken cancellationToken)
{
    internal WriterTurn Turn { get; } = turn;

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
    Func<SqliteSession, Task<T>> run, Action<T>? committed, WriterTurn turn, CancellationToken cancellationToken)
    : WriterWork(turn, cancellationToken)
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
