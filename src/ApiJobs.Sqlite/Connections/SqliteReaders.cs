using System.Collections.Concurrent;

namespace ApiJobs.Sqlite.Connections;

/// <summary>A bounded pool of read-only connections, opened as they are needed. In WAL mode they never wait for the writer.</summary>
internal sealed class SqliteReaders(SqliteFile file, int maxReaders) : IDisposable
{
    private readonly SemaphoreSlim _free = new(maxReaders);
    private readonly ConcurrentStack<SqliteSession> _idle = new();
    private volatile bool _isClosed;

    internal async Task<T> ReadAsync<T>(Func<SqliteSession, T> read, CancellationToken cancellationToken)
    {
        await _free.WaitAsync(cancellationToken);
        SqliteSession? session = null;
        try
        {
            ObjectDisposedException.ThrowIf(_isClosed, this);
            if (!_idle.TryPop(out session))
                session = SqliteSession.OpenReader(file);
            var result = read(session);
            _idle.Push(session);
            session = null;
            return result;
        }
        finally
        {
            // Still set after an exception: a new connection is cheaper than knowing what state this one is in.
            session?.Dispose();
            if (_isClosed)
                CloseIdle();
            _free.Release();
        }
    }

    /// <summary>Closes the idle connections; those in use close when they come back.</summary>
    public void Dispose()
    {
        _isClosed = true;
        CloseIdle();
    }

    private void CloseIdle()
    {
        while (_idle.TryPop(out var session))
            session.Dispose();
    }
}
