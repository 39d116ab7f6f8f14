using Npgsql;
using NpgsqlTypes;

namespace ApiJobs.PostgreSql;

/// <summary>Short forms for building pipelined statements with positional parameters.</summary>
internal static class Sql
{
    /// <summary>Has what follows in the transaction look rows up by their keys, with plans that are kept.</summary>
    /// <remarks>
    /// For the store's own statements, which all name keys. Left alone, a prepared statement would keep the plan that was made
    /// while its tables were empty, and go on scanning them whole while they grow. A look-up is right for every size; no
    /// two indexes of one of the store's tables begin with the same column, so that there is only one to choose.
    /// </remarks>
    internal const string ByKey =
        "SELECT set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true), "
        + "set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true), "
        // Compiling a look-up takes a thousand times as long as running it, and large tables make plans look worth it.
        + "set_config('jit', 'off', true)";

    /// <summary>Has what follows planned for what it really handles; what <see cref="ByKey"/> set is put back, but for compiling.</summary>
    /// <remarks>For resources, whose indexes all begin with the company: which of them is the right one depends on the values.</remarks>
    internal const string Afresh =
        "SELECT set_config('plan_cache_mode', 'force_custom_plan', true), set_config('enable_seqscan', 'on', true), "
        + "set_config('enable_hashjoin', 'on', true), set_config('enable_mergejoin', 'on', true)";

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

    internal static NpgsqlParameter OrNull(Guid? value) =>
        new() { Value = value ?? (object)DBNull.Value, NpgsqlDbType = NpgsqlDbType.Uuid };

    internal static NpgsqlParameter Array<T>(T[] values, NpgsqlDbType elementType) =>
        new NpgsqlParameter<T[]> { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | elementType };

    /// <summary>A time as the database keeps it: UTC, in whole microseconds; so that what was written equals what is read.</summary>
    internal static DateTimeOffset Microseconds(DateTimeOffset value)
    {
        var utc = value.ToUniversalTime();
        return utc.AddTicks(-(utc.Ticks % TimeSpan.TicksPerMicrosecond));
    }
}
