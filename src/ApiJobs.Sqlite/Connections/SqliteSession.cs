using ApiJobs.Storage;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace ApiJobs.Sqlite.Connections;

/// <summary>An open connection with its prepared statements. Used by one caller at a time.</summary>
internal sealed class SqliteSession : IDisposable
{
    // Sets of fields come from callers' records, so their number has no natural bound.
    private const int MaxFieldStatements = 256;

    private const int FullSynchronous = 2;

    private readonly Dictionary<string, SqliteStatement> _statements = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Name, ulong Fields), SqliteStatement> _fieldStatements = [];

    private readonly SqliteFile _file;

    private SqliteSession(SqliteFile file, SqliteConnection connection)
    {
        _file = file;
        Connection = connection;
        Space = new(file, this);
    }

    internal SqliteConnection Connection { get; }

    /// <summary>The room on the disk that intake may take.</summary>
    internal DiskSpace Space { get; }

    /// <summary>The writer's open transaction; null between transactions and in readers.</summary>
    internal SqliteTransaction? Transaction { get; private set; }

    /// <summary>Whether SQLite itself has a transaction open: after some errors it has rolled back on its own.</summary>
    internal bool IsInTransaction => raw.sqlite3_get_autocommit(Connection.Handle) == 0;

    internal static SqliteSession OpenWriter(SqliteFile file)
    {
        // Not made here: a server whose file was deleted must not go on with an empty one.
        var session = Open(file, SqliteOpenMode.ReadWrite);
        try
        {
            using (var mode = session.Use("PRAGMA journal_mode = WAL"))
            {
                if (!mode.Read() || !string.Equals(mode.Text(0), "wal", StringComparison.OrdinalIgnoreCase))
                    throw new InvalidOperationException($"'{file.Path}' cannot be put into WAL mode. Keep it on a local disk, not on a network share.");
            }

            // FULL: an acknowledged job must survive a power cut. NORMAL syncs only at checkpoints and loses commits.
            session.Execute("PRAGMA synchronous = FULL");
            using (var synchronous = session.Use("PRAGMA synchronous"))
            {
                if (!synchronous.Read() || synchronous.Int32(0) < FullSynchronous)
                    throw new InvalidOperationException($"'{file.Path}' cannot be made to wait for the disk.");
            }

            session.Execute($"PRAGMA cache_size = -{file.WriterCacheBytes / 1024}");
            session.Execute("PRAGMA journal_size_limit = 67108864");
            return session;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    internal static SqliteSession OpenReader(SqliteFile file) => Open(file, SqliteOpenMode.ReadOnly);

    /// <summary>Gives the prepared statement of some fixed SQL; dispose it after use.</summary>
    internal SqliteStatement Use(string sql)
    {
        if (!_statements.TryGetValue(sql, out var statement))
            _statements.Add(sql, statement = PrepareOnce(sql));
        return statement;
    }

    /// <summary>Gives the prepared statement for a set of fields, making its SQL only when it is not prepared yet. Valid until the next one is asked for.</summary>
    internal SqliteStatement Use(string name, ulong fields, Func<ulong, string> makeSql)
    {
        if (_fieldStatements.TryGetValue((name, fields), out var statement))
            return statement;
        if (_fieldStatements.Count >= MaxFieldStatements)
        {
            foreach (var kept in _fieldStatements.Values)
                kept.Close();
            _fieldStatements.Clear();
        }

        statement = PrepareOnce(makeSql(fields));
        _fieldStatements.Add((name, fields), statement);
        return statement;
    }

    /// <summary>Prepares a statement that is not kept; the caller closes it.</summary>
    internal SqliteStatement PrepareOnce(string sql) => new(Connection.Handle!, sql);

    internal void Execute(string sql)
    {
        var statement = PrepareOnce(sql);
        try
        {
            while (statement.Read())
            {
            }
        }
        finally
        {
            statement.Close();
        }
    }

    /// <summary>Begins a transaction that holds the write lock from its start; a later upgrade could fail at any time.</summary>
    internal void Begin()
    {
        Space.Forget();
        Transaction = Connection.BeginTransaction(deferred: false);
    }

    internal void Commit()
    {
        Transaction!.Commit();
        EndTransaction();
    }

    /// <summary>Makes sure that what is written is where the next start will look for it.</summary>
    /// <exception cref="StoreUnavailableException">The file was moved, deleted or replaced under the running process.</exception>
    internal void ThrowIfMoved()
    {
        if (NativeFile.HasMoved(Connection.Handle!))
            throw new StoreUnavailableException(
                $"'{_file.Path}' was moved, deleted or replaced while it is open: what is written now would be lost. "
                + "Stop the server, put the file back where it was, and start it again.");
    }

    /// <summary>Rolls back, unless SQLite already did.</summary>
    internal void RollBack()
    {
        if (Transaction is not null && IsInTransaction)
            Transaction.Rollback();
        EndTransaction();
    }

    public void Dispose()
    {
        foreach (var statement in _statements.Values.Concat(_fieldStatements.Values))
            statement.Close();
        Transaction?.Dispose();
        Connection.Dispose();
    }

    private void EndTransaction()
    {
        Transaction?.Dispose();
        Transaction = null;
    }

    private static SqliteSession Open(SqliteFile file, SqliteOpenMode mode)
    {
        var connection = new SqliteConnection(file.ConnectionString(mode));
        try
        {
            connection.Open();
            raw.sqlite3_busy_timeout(connection.Handle, (int)file.LockTimeout.TotalMilliseconds);
            return new(file, connection);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }
}
