using System.Threading.Channels;
using ApiJobs.Storage;
using Microsoft.Extensions.Logging;

namespace ApiJobs.Sqlite.Connections;

/// <summary>The one writer: commits together what arrives together, so that many small accepts share one fsync.</summary>
/// <remarks>
/// Each work has its own fate. One that throws is undone alone and its exception goes to its caller; the others commit.
/// Only when the commit fails, or SQLite gives up the whole transaction, do all of a group fail, as unavailable.
/// </remarks>
internal sealed class SqliteWriter : IAsyncDisposable
{
    private const int MaxWaiting = 1024;
    private const int MaxTogether = 256;

    // Work is taken into the open transaction until this time is over: nobody waits much longer for those after him.
    private static readonly TimeSpan MaxTransactionTime = TimeSpan.FromMilliseconds(50);

    private readonly SqliteFile _file;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Channel<WriterWork> _arrivals = Channel.CreateBounded<WriterWork>(
        new BoundedChannelOptions(MaxWaiting) { SingleReader = true });

    // Long works take turns with the short ones, so that an accept waits behind one slice at the most.
    private readonly Queue<WriterWork> _short = new();
    private readonly Queue<WriterWork> _long = new();
    private readonly Task _loop;
    private SqliteSession? _session;

    internal SqliteWriter(SqliteFile file, SqliteSession session, TimeProvider time, ILogger logger)
    {
        _file = file;
        _session = session;
        _time = time;
        _logger = logger;
        _loop = Task.Run(WriteAllAsync);
    }

    /// <summary>Runs <paramref name="work"/> in a transaction, alone or with others, and returns when it is durable.</summary>
    /// <param name="work">Writes; what it wrote is undone if it throws.</param>
    /// <param name="cancellationToken">Cancels while it waits for its turn.</param>
    /// <param name="committed">Called right after the commit, in the order of the commits.</param>
    internal Task<T> WriteAsync<T>(Func<SqliteSession, T> work, CancellationToken cancellationToken, Action<T>? committed = null) =>
        WriteAsync(session => Task.FromResult(work(session)), isLong: false, cancellationToken, committed);

    /// <inheritdoc cref="WriteAsync{T}(Func{SqliteSession, T}, CancellationToken, Action{T})"/>
    internal async Task<T> WriteAsync<T>(
        Func<SqliteSession, Task<T>> work, bool isLong, CancellationToken cancellationToken, Action<T>? committed = null)
    {
        var waiting = new WriterWork<T>(work, committed, isLong, cancellationToken);
        try
        {
            await _arrivals.Writer.WriteAsync(waiting, cancellationToken);
        }
        catch (ChannelClosedException exception)
        {
            throw new StoreUnavailableException("The store is closing.", exception);
        }

        return await waiting.Done;
    }

    /// <summary>Writes what has been asked for, checkpoints and closes.</summary>
    public async ValueTask DisposeAsync()
    {
        _arrivals.Writer.TryComplete();
        await _loop;
        try
        {
            _session?.Execute("PRAGMA wal_checkpoint(TRUNCATE)");
        }
        catch (Exception exception)
        {
            // The log is replayed at the next start.
            _logger.LogWarning(exception, "The SQLite file could not be checkpointed while closing");
        }

        _session?.Dispose();
        _session = null;
    }

    private async Task WriteAllAsync()
    {
        while (await _arrivals.Reader.WaitToReadAsync())
        {
            do
            {
                TakeArrived();
                await CommitTogetherAsync(_short, MaxTogether);
                await CommitTogetherAsync(_long, 1);
            }
            while (_short.Count + _long.Count > 0);
        }
    }

    private void TakeArrived()
    {
        while (_short.Count + _long.Count < MaxWaiting && _arrivals.Reader.TryRead(out var work))
            (work.IsLong ? _long : _short).Enqueue(work);
    }

    private async Task CommitTogetherAsync(Queue<WriterWork> queue, int maxWorks)
    {
        if (queue.Count == 0)
            return;

        List<WriterWork> taken = [], written = [];
        try
        {
            Begin();
            var began = _time.GetTimestamp();
            while (written.Count < maxWorks && queue.TryDequeue(out var work))
            {
                taken.Add(work);
                if (work.CancellationToken.IsCancellationRequested)
                    work.Cancel();
                else if (await RunAsync(work, isFirst: written.Count == 0))
                    written.Add(work);
                if (_time.GetElapsedTime(began) > MaxTransactionTime)
                    break;
            }

            _session!.Commit();
            _session.ThrowIfMoved();
        }
        catch (Exception exception)
        {
            FailAll(exception, taken, queue);
            return;
        }

        foreach (var work in written)
            work.Committed();
        foreach (var work in written)
            work.Complete();
    }

    private void Begin()
    {
        _session ??= SqliteSession.OpenWriter(_file);
        _session.ThrowIfMoved();
        _session.Begin();
    }

    /// <summary>Runs one work; if it throws, undoes and fails it alone.</summary>
    /// <returns>Whether it has written and is to be committed.</returns>
    /// <exception cref="Exception">The whole transaction is lost.</exception>
    private async Task<bool> RunAsync(WriterWork work, bool isFirst)
    {
        var session = _session!;
        // The first needs no savepoint: to undo it is to roll back and begin again.
        if (!isFirst)
            session.Use("SAVEPOINT work").Run();
        try
        {
            await work.RunAsync(session);
        }
        catch (Exception exception)
        {
            work.Fail(SqliteFaults.ForCaller(exception));
            if (SqliteFaults.SpoilsConnection(exception) || !session.IsInTransaction)
                throw;
            if (isFirst)
            {
                session.RollBack();
                session.Begin();
            }
            else
            {
                session.Use("ROLLBACK TO work").Run();
                session.Use("RELEASE work").Run();
            }

            return false;
        }

        if (!isFirst)
            session.Use("RELEASE work").Run();
        return true;
    }

    // Also those that have not run yet: each would wait for the same lock or meet the same full disk, one after another.
    private void FailAll(Exception exception, List<WriterWork> taken, Queue<WriterWork> queue)
    {
        _logger.LogWarning(exception, "A SQLite transaction was rolled back; {WorkCount} calls fail as unavailable", taken.Count + queue.Count);
        try
        {
            _session?.RollBack();
            if (SqliteFaults.SpoilsConnection(exception))
                CloseSession();
        }
        catch (Exception rollback)
        {
            _logger.LogWarning(rollback, "The SQLite connection is opened anew, because rolling back failed");
            CloseSession();
        }

        var unavailable = SqliteFaults.ForCaller(exception) as StoreUnavailableException
            ?? new StoreUnavailableException($"The transaction was rolled back: {exception.Message}", exception);
        foreach (var work in taken)
            work.Fail(unavailable);
        while (queue.TryDequeue(out var work))
            work.Fail(unavailable);
    }

    private void CloseSession()
    {
        var session = _session;
        _session = null;
        try
        {
            session?.Dispose();
        }
        catch (Exception exception)
        {
            _logger.LogWarning(exception, "A SQLite connection could not be closed");
        }
    }
}
