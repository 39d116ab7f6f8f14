using ApiJobs.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace ApiJobs.Sqlite.Connections;

/// <summary>The one writer: commits together what arrives together, so that many small accepts share one fsync.</summary>
/// <remarks>
/// Each work has its own fate. One that throws is undone alone and its exception goes to its caller; the others commit.
/// Only when the commit fails, or SQLite gives up the whole transaction, do all of a group fail, as unavailable.
/// </remarks>
internal sealed class SqliteWriter : IAsyncDisposable
{
    private const int MaxTogether = 256;

    // Work is taken into the open transaction until this time is over: nobody waits much longer for those after him.
    private static readonly TimeSpan MaxTransactionTime = TimeSpan.FromMilliseconds(50);

    private readonly SqliteFile _file;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly WriterQueue _queue = new();
    private readonly Task _loop;
    private SqliteSession? _session;
    private volatile bool _hasFailed;

    internal SqliteWriter(SqliteFile file, SqliteSession session, TimeProvider time, ILogger logger)
    {
        _file = file;
        _session = session;
        _time = time;
        _logger = logger;
        _loop = Task.Run(WriteAllAsync);
    }

    /// <summary>Whether the database could not be written to when it was tried last.</summary>
    internal bool HasFailed => _hasFailed;

    internal async Task<T> WriteAsync<T>(WriterWork<T> work)
    {
        await _queue.AddAsync(work);
        return await work.Done;
    }

    /// <summary>Writes what has been asked for, checkpoints and closes.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Close();
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

    // Long works take turns with the others, so that an accept waits behind one group at the most.
    private async Task WriteAllAsync()
    {
        while (await _queue.WaitAsync())
        {
            await CommitTogetherAsync(_queue.TakeTogether, MaxTogether);
            await CommitTogetherAsync(_queue.TakeAlone, 1);
        }
    }

    private async Task CommitTogetherAsync(Func<WriterWork?> take, int maxWorks)
    {
        if (take() is not { } work)
            return;

        List<WriterWork> taken = [work], written = [];
        try
        {
            Begin();
            var began = _time.GetTimestamp();
            for (var next = work; next is not null;)
            {
                if (next.CancellationToken.IsCancellationRequested)
                    next.Cancel();
                else if (await RunAsync(next, isFirst: written.Count == 0))
                    written.Add(next);
                next = written.Count < maxWorks && _time.GetElapsedTime(began) <= MaxTransactionTime ? take() : null;
                if (next is not null)
                    taken.Add(next);
            }

            _session!.Commit();
            // Before anybody is told: a file without a name is gone with this process.
            if (written.Count > 0)
                _session.ThrowIfMoved();
        }
        catch (Exception exception)
        {
            FailAll(exception, taken);
            return;
        }

        if (_hasFailed && written.Count > 0)
        {
            _hasFailed = false;
            _logger.LogInformation("The SQLite file can be written to again");
        }

        foreach (var done in written)
            done.Committed();
        foreach (var done in written)
            done.Complete();
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
            work.Fail(exception);
            if (SqliteFaults.SpoilsConnection(exception) || !session.IsInTransaction)
                throw;
            _hasFailed |= exception is SqliteException && SqliteFaults.Classify(exception) == StoreFault.Transient;
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
    private void FailAll(Exception exception, List<WriterWork> taken)
    {
        if (taken[0].Turn != WriterTurn.Alone)
            taken.AddRange(_queue.TakeRest());
        // Once for an outage: whoever calls is told each time.
        _logger.Log(_hasFailed ? LogLevel.Debug : LogLevel.Warning, exception, "A SQLite transaction was rolled back; {WorkCount} calls fail as unavailable", taken.Count);
        _hasFailed = true;
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

        foreach (var work in taken)
            work.Fail(new TransactionLostException(exception));
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
