using Npgsql;
using NpgsqlTypes;

namespace ApiJobs.PostgreSql;

/// <summary>Short forms for building pipelined statements with positional parameters.</summary>
internal static class Sql
{
    /// <summary>Has the rest of the transaction planned for what it really handles; a column of a SELECT.</summary>
    /// <remarks>
    /// A prepared statement keeps a plan that was made for arrays of unknown length and, on a young database, for empty
    /// tables: it goes on scanning them whole while they grow. Planning costs little beside what these statements do.
    /// </remarks>
    internal const string PlanAfresh = "set_config('plan_cache_mode', 'force_custom_plan', true)";

    internal static NpgsqlBatchCommand Statement(string text, params ReadOnlySpan<NpgsqlParameter> parameters)
    {
        var command = new NpgsqlBatchCommand(text);
        foreach (var parameter in parameters)
            command.Parameters.Add(parameter);
        return command;
    }

    internal static NpgsqlParameter Value(Guid value) => new NpgsqlParameter<Guid> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Uuid };

    internal static NpgsqlParameter Value(string value) => new NpgsqlParameter<string> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Text };

    internal static NpgsqlParameter Value(int value) => new NpgsqlParameter<int> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Integer };

    internal static NpgsqlParameter Value(long value) => new NpgsqlParameter<long> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Bigint };

    internal static NpgsqlParameter Value(TimeSpan value) => new NpgsqlParameter<TimeSpan> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Interval };

    internal static NpgsqlParameter Value(DateTimeOffset value) =>
        new NpgsqlParameter<DateTimeOffset> { TypedValue = Microseconds(value), NpgsqlDbType = NpgsqlDbType.TimestampTz };

    internal static NpgsqlParameter OrNull(long? value) =>
        new() { Value = value ?? (object)DBNull.Value, NpgsqlDbType = NpgsqlDbType.Bigint };

    internal static NpgsqlParameter Array<T>(T[] values, NpgsqlDbType elementType) =>
        new NpgsqlParameter<T[]> { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | elementType };

    /// <summary>A time as the database keeps it: UTC, in whole microseconds; so that what was written equals what is read.</summary>
    internal static DateTimeOffset Microseconds(DateTimeOffset value)
    {
        var utc = value.ToUniversalTime();
        return utc.AddTicks(-(utc.Ticks % TimeSpan.TicksPerMicrosecond));
    }
}
