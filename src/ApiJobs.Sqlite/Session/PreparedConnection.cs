using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace ApiJobs.Sqlite.Session;

/// <summary>An open connection with its prepared statements. Used by one caller at a time.</summary>
internal sealed class PreparedConnection : IDisposable
{
    // Sets of fields come from callers' records, so their number has no natural bound.
    private const int MaxFieldStatements = 256;

    private const int SynchronousFull = 2;

    private readonly Dictionary<string, SqliteStatement> _statements = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Name, ulong Fields), SqliteStatement> _fieldStatements = [];

    private PreparedConnection(SqliteConnection connection) => Connection = connection;

    internal SqliteConnection Connection { get; }

    /// <summary>The writer's open transaction; null between transactions and in readers.</summary>
    internal SqliteTransaction? Transaction { get; private set; }

    /// <summary>Whether SQLite itself has a transaction open: after some errors it has rolled back on its own.</summary>
    internal bool IsInTransaction => raw.sqlite3_get_autocommit(Connection.Handle) == 0;

    internal static PreparedConnection OpenWriter(SqliteFile file)
    {
        // Never made here: a server whose file was deleted must not go on with an empty one.
        var connection = Open(file, SqliteOpenMode.ReadWrite);
        try
        {
            using (var mode = connection.Use("PRAGMA journal_mode = WAL"))
            {
                if (!mode.Read() || !string.Equals(mode.Text(0), "wal", StringComparison.OrdinalIgnoreCase))
                    throw new InvalidOperationException($"'{file.Path}' cannot be put into WAL mode. Keep it on a local disk, not on a network share.");
            }

            // FULL: an acknowledged job must survive a power cut. NORMAL syncs only at checkpoints and loses commits.
            connection.Execute("PRAGMA synchronous = FULL");
            using (var synchronous = connection.Use("PRAGMA synchronous"))
            {
                if (!synchronous.Read() || synchronous.Int64(0) != SynchronousFull)
                    throw new InvalidOperationException($"'{file.Path}' cannot be written with synchronous = FULL: what was acknowledged could be lost.");
            }

            connection.Execute($"PRAGMA cache_size = -{file.WriterCacheBytes / 1024}");
            connection.Execute("PRAGMA journal_size_limit = 67108864");
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    internal static PreparedConnection OpenReader(SqliteFile file) => Open(file, SqliteOpenMode.ReadOnly);

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
    internal void Begin() => Transaction = Connection.BeginTransaction(deferred: false);

    internal void Commit()
    {
        Transaction!.Commit();
        EndTransaction();
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

    private static PreparedConnection Open(SqliteFile file, SqliteOpenMode mode)
    {
        var connection = new SqliteConnection(file.ConnectionString(mode));
        try
        {
            connection.Open();
            raw.sqlite3_busy_timeout(connection.Handle, (int)file.LockTimeout.TotalMilliseconds);
            return new PreparedConnection(connection);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }
}
