using ApiJobs.Storage;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace ApiJobs.Sqlite.Connections;

/// <summary>What SQLite's result codes mean to the engine.</summary>
internal static class SqliteFaults
{
    private static readonly string[] Missing = ["no such table: ", "no such column: ", "has no column named ", "no such function: "];

    internal static StoreFault Classify(Exception? exception)
    {
        // A coded operation may use a library that wraps the database's exception in its own.
        for (; exception is not null; exception = exception.InnerException)
        {
            if (exception is StoreUnavailableException)
                return StoreFault.Transient;
            if (exception is SqliteException fault)
                return Classify(fault);
        }

        return StoreFault.None;
    }

    /// <summary>What a caller of the store gets for an exception out of its own statements.</summary>
    internal static Exception ForCaller(Exception exception) => exception switch
    {
        EffectsException => exception.InnerException!,
        TransactionLostException { InnerException: StoreUnavailableException unavailable } => new StoreUnavailableException(unavailable.Message, unavailable) { IsDiskLow = unavailable.IsDiskLow },
        TransactionLostException => new StoreUnavailableException($"The transaction was rolled back: {exception.Message}", exception.InnerException!),
        SqliteException fault when Classify(fault) is StoreFault.Transient or StoreFault.Deployment =>
            new StoreUnavailableException($"The SQLite file cannot be used now: {exception.Message}", exception) { IsDiskLow = fault.SqliteErrorCode == raw.SQLITE_FULL },
        _ => exception,
    };

    /// <summary>Whether a connection may be in a state that only a new one is free of.</summary>
    internal static bool SpoilsConnection(Exception? exception)
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            if (exception is SqliteException { SqliteErrorCode: raw.SQLITE_IOERR or raw.SQLITE_CANTOPEN or raw.SQLITE_NOMEM or raw.SQLITE_PROTOCOL or raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB or raw.SQLITE_READONLY })
                return true;
        }

        return false;
    }

    private static StoreFault Classify(SqliteException fault) => fault.SqliteErrorCode switch
    {
        raw.SQLITE_READONLY or raw.SQLITE_BUSY or raw.SQLITE_LOCKED or raw.SQLITE_FULL or raw.SQLITE_IOERR or raw.SQLITE_CANTOPEN
            or raw.SQLITE_PROTOCOL or raw.SQLITE_NOMEM => StoreFault.Transient,
        raw.SQLITE_CONSTRAINT or raw.SQLITE_TOOBIG or raw.SQLITE_MISMATCH => StoreFault.Constraint,
        raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB => StoreFault.Deployment,
        // SQLite has one code for all of these; its texts have been the same for as long as there are migrations to forget.
        raw.SQLITE_ERROR when Missing.Any(missing => fault.Message.Contains(missing, StringComparison.Ordinal)) => StoreFault.Deployment,
        _ => StoreFault.None,
    };
}

/// <summary>Carries an exception of the effects past the translation of the store's own.</summary>
internal sealed class EffectsException(Exception effects) : Exception(effects.Message, effects);

/// <summary>The transaction that a work shared is lost, by a fault that is not the work's.</summary>
internal sealed class TransactionLostException(Exception cause) : Exception(cause.Message, cause);
