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

    /// <inheritdoc cref="SqliteReaders.ReadAsync{T}"/>
    internal Task<T> ReadAsync<T>(Func<SqliteSession, T> read, CancellationToken cancellationToken) =>
        _readers.ReadAsync(read, cancellationToken);

    /// <inheritdoc cref="SqliteWriter.WriteAsync{T}(Func{SqliteSession, T}, CancellationToken, Action{T})"/>
    internal Task<T> WriteAsync<T>(Func<SqliteSession, T> work, CancellationToken cancellationToken, Action<T>? committed = null) =>
        Writer.WriteAsync(work, cancellationToken, committed);

    /// <inheritdoc cref="SqliteWriter.WriteAsync{T}(Func{SqliteSession, Task{T}}, bool, CancellationToken, Action{T})"/>
    internal Task<T> WriteAsync<T>(
        Func<SqliteSession, Task<T>> work, bool isLong, CancellationToken cancellationToken, Action<T>? committed = null) =>
        Writer.WriteAsync(work, isLong, cancellationToken, committed);

    /// <summary>Writes what has been asked for, checkpoints the file and gives up its lock.</summary>
    public async ValueTask DisposeAsync()
    {
        _readers.Dispose();
        if (_writer is not null)
            await _writer.DisposeAsync();
        file.Dispose();
    }
}
