using System.Runtime.ExceptionServices;
using ApiJobs.Storage;
using Microsoft.Extensions.Logging;

namespace ApiJobs.Sqlite.Session;

/// <summary>The store's one way to its file: reading from a pool, writing through the one writer. Faults are translated here, and nowhere else.</summary>
internal sealed class SqliteSession : IAsyncDisposable
{
    private readonly SqliteFile _file;
    private readonly SqliteReaders _readers;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _opening = new(1);
    private SqliteWriter? _writer;

    internal SqliteSession(SqliteStoreOptions options, TimeProvider time, ILogger logger)
    {
        _file = new SqliteFile(options);
        _readers = new SqliteReaders(_file, options.MaxReaders);
        _time = time;
        _logger = logger;
        Clock = new StoreClock(time);
    }

    internal StoreClock Clock { get; }

    private SqliteWriter Writer => _writer
        ?? throw new InvalidOperationException("The SQLite store is not open. Call InitializeAsync first.");

    /// <summary>Makes the file if it is missing, locks it, and lets <paramref name="prepare"/> make what is to be in it. A second call does nothing.</summary>
    internal async Task OpenAsync(Action<PreparedConnection, SqliteFile> prepare, CancellationToken cancellationToken)
    {
        await _opening.WaitAsync(cancellationToken);
        try
        {
            if (_writer is not null)
                return;
            _file.Lock();
            var connection = PreparedConnection.OpenWriter(_file);
            try
            {
                prepare(connection, _file);
            }
            catch
            {
                connection.Dispose();
                throw;
            }

            _writer = new SqliteWriter(_file, connection, _time, _logger);
        }
        catch (Exception exception)
        {
            _file.Dispose();
            ExceptionDispatchInfo.Throw(SqliteFaults.ForCaller(exception));
        }
        finally
        {
            _opening.Release();
        }
    }

    /// <summary>Reads on a connection of the pool, as of one moment.</summary>
    internal async Task<T> ReadAsync<T>(Func<PreparedConnection, T> read, CancellationToken cancellationToken)
    {
        try
        {
            return await _readers.ReadAsync(read, cancellationToken);
        }
        catch (Exception exception) when (SqliteFaults.ForCaller(exception) is var forCaller && forCaller != exception)
        {
            throw forCaller;
        }
    }

    /// <summary>Writes for somebody who waits for an answer.</summary>
    /// <inheritdoc cref="WriteAsync{T}(Func{PreparedConnection, Task{T}}, WriterTurn, CancellationToken, Action{T})"/>
    internal Task<T> WriteAsync<T>(Func<PreparedConnection, T> work, CancellationToken cancellationToken, Action<T>? committed = null) =>
        WriteAsync(connection => Task.FromResult(work(connection)), WriterTurn.Prompt, cancellationToken, committed);

    /// <summary>Runs <paramref name="work"/> in a transaction, alone or with others, and returns when it is durable.</summary>
    /// <param name="work">Writes; what it wrote is undone if it throws. An <see cref="EffectsException"/> brings the exception in it to the caller as it is.</param>
    /// <param name="turn">Which works it comes after, and which it shares a transaction with.</param>
    /// <param name="cancellationToken">Cancels while it waits for its turn.</param>
    /// <param name="committed">Called right after the commit, in the order of the commits.</param>
    internal async Task<T> WriteAsync<T>(
        Func<PreparedConnection, Task<T>> work, WriterTurn turn, CancellationToken cancellationToken, Action<T>? committed = null)
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

    /// <summary>Refuses what a request brings while the disk has no more than the room that is kept for working and cleaning up.</summary>
    /// <exception cref="StoreUnavailableException">There is too little room; the message says where and how much.</exception>
    internal void ThrowIfShortOfRoom(PreparedConnection connection) => _file.Room.ThrowIfShort(connection);

    /// <summary>Says whether reading and writing work; writes itself only after writing has failed.</summary>
    /// <exception cref="StoreUnavailableException">They do not; the message says why.</exception>
    internal async Task PingAsync(CancellationToken cancellationToken)
    {
        var writer = Writer;
        await ReadAsync(connection =>
        {
            _file.ThrowIfMoved(connection);
            ThrowIfShortOfRoom(connection);
            using var any = connection.Use("SELECT 1 FROM lanes LIMIT 1");
            return any.Read();
        }, cancellationToken);
        if (writer.HasFailed)
            await WriteAsync(connection =>
            {
                // Nobody uses this number, but writing it writes a page.
                connection.Execute("PRAGMA user_version = 0");
                return true;
            }, cancellationToken);
    }

    /// <summary>Writes what has been asked for, checkpoints the file and gives up its lock.</summary>
    public async ValueTask DisposeAsync()
    {
        _readers.Dispose();
        if (_writer is not null)
            await _writer.DisposeAsync();
        _file.Dispose();
    }
}

/// <summary>Carries an exception of the effects past the translation of the store's own.</summary>
internal sealed class EffectsException(Exception effects) : Exception(effects.Message, effects);

/// <summary>The transaction that a work shared is lost, by a fault that is not the work's.</summary>
internal sealed class TransactionLostException(Exception cause) : Exception(cause.Message, cause);
