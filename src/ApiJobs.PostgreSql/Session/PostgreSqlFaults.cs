using System.Net.Sockets;
using ApiJobs.Storage;
using Npgsql;

namespace ApiJobs.PostgreSql.Session;

/// <summary>Tells faults that pass from faults that stay, and a record's from the deployment's.</summary>
internal static class PostgreSqlFaults
{
    internal static StoreFault Classify(Exception exception) => exception switch
    {
        StoreUnavailableException => StoreFault.Transient,
        PostgresException fault => ClassifyState(fault),
        NpgsqlException fault => fault.IsTransient || HasNetworkCause(fault) ? StoreFault.Transient : StoreFault.None,
        // A cancelled statement's cause is the cancelling, and says nothing of the database.
        OperationCanceledException => StoreFault.None,
        // An object-relational mapper wraps what the database said.
        { InnerException: { } cause } => Classify(cause),
        _ => StoreFault.None,
    };

    /// <summary>Whether a call failed for a reason that lies in the database, so that the same call may be made again when it is mended.</summary>
    internal static bool IsDatabases(Exception exception) =>
        exception is not StoreUnavailableException
        && Classify(exception) is StoreFault.Transient or StoreFault.Deployment or StoreFault.TooSlow;

    /// <summary>Waits for a step of a longer call, and says <see cref="StoreUnavailableException"/> for a fault that passes.</summary>
    internal static async Task<T> ServeAsync<T>(Task<T> step)
    {
        try
        {
            return await step;
        }
        catch (Exception exception) when (exception is not StoreUnavailableException && Classify(exception) == StoreFault.Transient)
        {
            throw Unavailable(exception);
        }
    }

    internal static StoreUnavailableException Unavailable(Exception cause) =>
        new($"PostgreSQL cannot serve now: {cause.Message}", cause)
        {
            IsDiskLow = cause is PostgresException { SqlState: PostgresErrorCodes.DiskFull },
        };

    private static StoreFault ClassifyState(PostgresException fault) => fault.SqlState switch
    {
        // not_null, foreign_key, unique, check, exclusion and their like; and an index entry that is too large.
        ['2', '3', ..] or "54000" => StoreFault.Constraint,
        // The value itself does not fit: too long, out of range, no such date, a character the encoding lacks.
        "22001" or "22003" or "22007" or "22008" or "22021" => StoreFault.Constraint,
        // A row that a policy does not let in is the record's fault; a right that is missing is the deployment's.
        "42501" => IsPolicy(fault) ? StoreFault.Constraint : StoreFault.Deployment,
        // A table, column, function or schema that is not there; a damaged database.
        "42P01" or "42703" or "42883" or "3F000" or ['X', 'X', ..] => StoreFault.Deployment,
        // A statement, a pause or a transaction beyond its time-out: the same again would be, too. An operator's
        // cancel looks the same.
        "57014" or "25P03" or "25P04" => StoreFault.TooSlow,
        "40001" or "40P01" or "55P03" => StoreFault.Transient,
        // A standby that has not been promoted yet refuses to write.
        "25006" => StoreFault.Transient,
        // Connection; resources; operator's intervention; input and output.
        ['0', '8', ..] or ['5', '3', ..] or ['5', '7', ..] or ['5', '8', ..] => StoreFault.Transient,
        _ => StoreFault.None,
    };

    // The routine, because messages are translated; the message, for servers behind which none is told.
    private static bool IsPolicy(PostgresException fault) =>
        fault.Routine == "ExecWithCheckOptions" || fault.MessageText.Contains("row-level security policy", StringComparison.Ordinal);

    private static bool HasNetworkCause(Exception exception)
    {
        for (var cause = exception.InnerException; cause is not null; cause = cause.InnerException)
        {
            if (cause is SocketException or IOException or TimeoutException)
                return true;
        }

        return false;
    }
}
