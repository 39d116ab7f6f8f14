using ApiJobs.Storage;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace ApiJobs.Sqlite;

/// <summary>What SQLite's result codes mean to the engine.</summary>
internal static class SqliteFaults
{
    internal static StoreFault Classify(Exception? exception)
    {
        // A coded operation may use a library that wraps the database's exception in its own.
        for (; exception is not null; exception = exception.InnerException)
        {
            if (exception is StoreUnavailableException)
                return StoreFault.Transient;
            if (exception is SqliteException { SqliteErrorCode: var code })
                return Classify(code);
        }

        return StoreFault.None;
    }

    /// <summary>What a caller of the store gets for an exception out of its own statements.</summary>
    internal static Exception ForCaller(Exception exception) =>
        exception is SqliteException { SqliteErrorCode: var code } && Classify(code) == StoreFault.Transient
            ? new StoreUnavailableException($"The SQLite file cannot be used now: {exception.Message}", exception)
            : exception;

    /// <summary>Whether a connection may be in a state that only a new one is free of.</summary>
    internal static bool SpoilsConnection(Exception? exception)
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            if (exception is SqliteException { SqliteErrorCode: raw.SQLITE_IOERR or raw.SQLITE_CANTOPEN or raw.SQLITE_NOMEM or raw.SQLITE_PROTOCOL or raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB })
                return true;
        }

        return false;
    }

    private static StoreFault Classify(int code) => code switch
    {
        raw.SQLITE_BUSY or raw.SQLITE_LOCKED or raw.SQLITE_FULL or raw.SQLITE_IOERR or raw.SQLITE_CANTOPEN
            or raw.SQLITE_PROTOCOL or raw.SQLITE_NOMEM => StoreFault.Transient,
        raw.SQLITE_CONSTRAINT or raw.SQLITE_TOOBIG or raw.SQLITE_MISMATCH => StoreFault.Constraint,
        _ => StoreFault.None,
    };
}
