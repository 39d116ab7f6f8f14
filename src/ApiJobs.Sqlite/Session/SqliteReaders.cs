using System.Collections.Concurrent;

namespace ApiJobs.Sqlite.Session;

/// <summary>A bounded pool of read-only connections, opened as they are needed. In WAL mode they never wait for the writer.</summary>
internal sealed class SqliteReaders(SqliteFile file, int maxReaders) : IDisposable
{
    private readonly SemaphoreSlim _free = new(maxReaders);
    private readonly ConcurrentStack<PreparedConnection> _idle = new();
    private volatile bool _isClosed;

    internal async Task<T> ReadAsync<T>(Func<PreparedConnection, T> read, CancellationToken cancellationToken)
    {
        await _free.WaitAsync(cancellationToken);
        PreparedConnection? connection = null;
        try
        {
            ObjectDisposedException.ThrowIf(_isClosed, this);
            if (!_idle.TryPop(out connection))
                connection = PreparedConnection.OpenReader(file);
            var result = read(connection);
            _idle.Push(connection);
            connection = null;
            return result;
        }
        finally
        {
            // Still set after an exception: a new connection is cheaper than knowing what state this one is in.
            connection?.Dispose();
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
        while (_idle.TryPop(out var connection))
            connection.Dispose();
    }
}
