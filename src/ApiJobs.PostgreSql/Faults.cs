using System.Net.Sockets;
using ApiJobs.Storage;
using Npgsql;

namespace ApiJobs.PostgreSql;

/// <summary>Tells faults that pass from faults that stay.</summary>
internal static class Faults
{
    internal static StoreFault Classify(Exception exception) => exception switch
    {
        StoreUnavailableException => StoreFault.Transient,
        PostgresException fault => ClassifyState(fault.SqlState),
        NpgsqlException fault => fault.IsTransient || HasNetworkCause(fault) ? StoreFault.Transient : StoreFault.None,
        // A cancelled statement's cause is the cancelling, and says nothing of the database.
        OperationCanceledException => StoreFault.None,
        // An object-relational mapper wraps what the database said.
        { InnerException: { } cause } => Classify(cause),
        _ => StoreFault.None,
    };

    /// <summary>Waits for a call, and says <see cref="StoreUnavailableException"/> for a fault that passes.</summary>
    internal static async Task<T> ServeAsync<T>(Task<T> call)
    {
        try
        {
            return await call;
        }
        catch (Exception exception) when (exception is not StoreUnavailableException && Classify(exception) == StoreFault.Transient)
        {
            throw Unavailable(exception);
        }
    }

    internal static async Task ServeAsync(Task call)
    {
        try
        {
            await call;
        }
        catch (Exception exception) when (exception is not StoreUnavailableException && Classify(exception) == StoreFault.Transient)
        {
            throw Unavailable(exception);
        }
    }

    internal static StoreUnavailableException Unavailable(Exception cause) =>
        new($"PostgreSQL cannot serve now: {cause.Message}", cause);

    private static StoreFault ClassifyState(string state) => state switch
    {
        // not_null, foreign_key, unique, check, exclusion and their like; and an index entry that is too large.
        ['2', '3', ..] or "54000" => StoreFault.Constraint,
        // The value itself does not fit: too long, out of range, no such date, a character the encoding lacks.
        "22001" or "22003" or "22007" or "22008" or "22021" => StoreFault.Constraint,
        "40001" or "40P01" or "55P03" => StoreFault.Transient,
        // A standby that has not been promoted yet refuses to write; a transaction the server gave up is done again.
        "25006" or "25P03" => StoreFault.Transient,
        // A right that an operation's own SQL misses is a fault of the deployment: jobs wait until it is granted,
        // instead of failing record by record for what no record did.
        "42501" => StoreFault.Transient,
        // Connection; resources; operator's intervention (57014: a statement timeout or an operator's cancel); input and output.
        ['0', '8', ..] or ['5', '3', ..] or ['5', '7', ..] or ['5', '8', ..] => StoreFault.Transient,
        _ => StoreFault.None,
    };

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
