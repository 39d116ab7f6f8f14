using System.Runtime.ExceptionServices;
using Microsoft.Extensions.Logging;

namespace ApiJobs.Sqlite.Connections;

/// <summary>The open database, as all parts of the store use it: readers that never wait, and one writer. What its callers get to see of a fault is decided here.</summary>
internal sealed class SqliteDatabase(SqliteFile file, int maxReaders, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    private readonly SqliteReaders _readers = new(file, maxReaders);
    private readonly SemaphoreSlim _opening = new(1);
    private SqliteWriter? _writer;

    internal SqliteFile File => file;

    internal StoreClock Clock { get; } = new(time);

    private SqliteWriter Writer => _writer
        ?? throw new InvalidOperationException("The SQLite store is not open. Call InitializeAsync first.");

    /// <summary>Takes the file's lock and opens it. A second call does nothing.</summary>
    /// <param name="prepare">Brings the file up to date, before anything else uses it.</param>
    /// <param name="cancellationToken">Cancels the waiting for another call.</param>
    internal async Task OpenAsync(Action<SqliteSession> prepare, CancellationToken cancellationToken)
    {
        await _opening.WaitAsync(cancellationToken);
        try
        {
            if (_writer is not null)
                return;
            file.Lock();
            var session = SqliteSession.OpenWriter(file);
            try
            {
                prepare(session);
            }
            catch
            {
                session.Dispose();
                throw;
            }

            _writer = new(file, session, time, logger);
        }
        catch (Exception exception)
        {
            file.Dispose();
            ExceptionDispatchInfo.Throw(SqliteFaults.ForCaller(exception));
        }
        finally
        {
            _opening.Release();
        }
    }

    /// <summary>Reads on a connection of the pool.</summary>
    internal async Task<T> ReadAsync<T>(Func<SqliteSession, T> read, CancellationToken cancellationToken)
    {
        try
        {
            return await _readers.ReadAsync(read, cancellationToken);
        }
        catch (Exception exception)
        {
            ExceptionDispatchInfo.Throw(SqliteFaults.ForCaller(exception));
            throw;
        }
    }

    /// <summary>Writes for somebody who waits for an answer.</summary>
    /// <inheritdoc cref="WriteAsync{T}(Func{SqliteSession, Task{T}}, WriterTurn, CancellationToken, Action{T})"/>
    internal Task<T> WriteAsync<T>(Func<SqliteSession, T> work, CancellationToken cancellationToken, Action<T>? committed = null) =>
        WriteAsync(session => Task.FromResult(work(session)), WriterTurn.Prompt, cancellationToken, committed);

    /// <summary>Runs <paramref name="work"/> in a transaction, alone or with others, and returns when it is durable.</summary>
    /// <param name="work">Writes; what it wrote is undone if it throws. An <see cref="EffectsException"/> brings the exception in it to the caller as it is.</param>
    /// <param name="turn">Which works it comes after, and which it shares a transaction with.</param>
    /// <param name="cancellationToken">Cancels while it waits for its turn.</param>
    /// <param name="committed">Called right after the commit, in the order of the commits.</param>
    internal async Task<T> WriteAsync<T>(
        Func<SqliteSession, Task<T>> work, WriterTurn turn, CancellationToken cancellationToken, Action<T>? committed = null)
    {
        try
        {
            return await Writer.WriteAsync(new WriterWork<T>(work, committed, turn, cancellationToken));
        }
        catch (Exception exception)
        {
            ExceptionDispatchInfo.Throw(SqliteFaults.ForCaller(exception));
            throw;
        }
    }

    /// <summary>Says whether reading and writing work; writes itself only after writing has failed.</summary>
    /// <exception cref="Storage.StoreUnavailableException">They do not; the message says why.</exception>
    internal async Task PingAsync(CancellationToken cancellationToken)
    {
        var writer = Writer;
        file.ThrowIfNotWritable();
        if (writer.HasFailed)
            await WriteAsync(session =>
            {
                // Nobody uses this number, but to write it a page is written.
                session.Execute("PRAGMA user_version = 0");
                return true;
            }, cancellationToken);
        await ReadAsync(session =>
        {
            session.ThrowIfMoved();
            session.Space.ThrowIfNone();
            using var any = session.Use("SELECT 1 FROM lanes LIMIT 1");
            return any.Read();
        }, cancellationToken);
    }

    /// <summary>Writes what has been asked for, checkpoints the file and gives up its lock.</summary>
    public async ValueTask DisposeAsync()
    {
        _readers.Dispose();
        if (_writer is not null)
            await _writer.DisposeAsync();
        file.Dispose();
    }
}
